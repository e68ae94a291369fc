# The image of the ready-built binary. docs/operate/deploy.md says how to build and
# run it:
#
#   docker build -t caddy-chatkit --build-arg VERSION=v1.2.3 .
#
# It holds the binary, CA certificates and a Caddyfile, and nothing else: no shell,
# no package to update.
ARG BUILD_IMAGE=golang:1.26-bookworm
ARG BASE_IMAGE=scratch

FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
ARG TARGETOS
ARG TARGETARCH
ARG TARGETVARIANT
ARG VERSION
ARG REVISION
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH GOARM=${TARGETVARIANT#v} \
	go build -trimpath -buildvcs=false -o /root.d/usr/bin/caddy \
	-ldflags "-s -w -X github.com/caddy-chatkit/caddy-chatkit/internal/buildinfo.version=$VERSION \
	-X github.com/caddy-chatkit/caddy-chatkit/internal/buildinfo.commit=$REVISION" ./cmd/caddy
# Caddy keeps certificates, the visitors' key and forced states in /data, and the last
# configuration in /config: mount volumes there.
RUN mkdir -p /root.d/etc/caddy /root.d/etc/ssl/certs /root.d/usr/share/doc/caddy-chatkit /home.d/data/caddy /home.d/config/caddy && \
	echo 'caddy:x:65532:65532:caddy:/data:/sbin/nologin' >/root.d/etc/passwd && \
	echo 'caddy:x:65532:' >/root.d/etc/group && \
	cp /etc/ssl/certs/ca-certificates.crt /root.d/etc/ssl/certs/ && \
	cp Caddyfile /root.d/etc/caddy/ && \
	cp LICENSE /root.d/usr/share/doc/caddy-chatkit/

FROM ${BASE_IMAGE}
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="caddy-chatkit" \
	org.opencontainers.image.description="Caddy in front of a chat backend, with a circuit breaker and a fallback" \
	org.opencontainers.image.source="https://github.com/caddy-chatkit/caddy-chatkit" \
	org.opencontainers.image.documentation="https://github.com/caddy-chatkit/caddy-chatkit/blob/main/docs/operate/deploy.md" \
	org.opencontainers.image.licenses="Apache-2.0" \
	org.opencontainers.image.version="$VERSION" \
	org.opencontainers.image.revision="$REVISION"
COPY --from=build /root.d/ /
COPY --from=build --chown=65532:65532 /home.d/ /
ENV XDG_DATA_HOME=/data XDG_CONFIG_HOME=/config PATH=/usr/bin
# A number, so that Kubernetes sees that it is not root.
USER 65532:65532
EXPOSE 80 443 443/udp
# No answer of the admin API means dead. That no provider may be asked does not: no
# restart mends a provider.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["caddy", "chatkit-health"]
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile"]
