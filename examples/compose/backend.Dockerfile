# The example backend in Go as an image: docker build -f examples/compose/backend.Dockerfile .
ARG BUILD_IMAGE=golang:1.26-bookworm
ARG BASE_IMAGE=scratch

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w" -o /backend ./examples/backends/go

FROM ${BASE_IMAGE}
COPY --from=build /backend /backend
ENV HOST=0.0.0.0
USER 65532:65532
EXPOSE 8000
CMD ["/backend"]
