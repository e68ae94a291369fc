package sandbox

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

// How long healing tries to get its port back, and how often.
const (
	bindFor   = 2 * time.Second
	bindEvery = 5 * time.Millisecond
)

// Set switches to f. When it returns, new connections meet f: after Refuse they
// are refused, after anything else they are accepted on the same port. Requests
// that Refuse or a released Hang catches in flight have their connection reset;
// other requests in flight finish under the fault they began with.
//
// The error names an unknown fault, is ErrClosed after Close, or says why the
// port could not be bound again, in which case the fault stays Refuse.
func (s *Server) Set(f Fault) error {
	if _, err := ParseFault(string(f)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	switch was := s.Fault(); {
	case f == was:
		return nil
	case f == Refuse:
		s.enter(f)
		s.shut()
		s.release = hold(s.addr)
		return nil
	case was == Refuse:
		return s.heal(f)
	default:
		s.enter(f)
		return nil
	}
}

// enter puts f in force and releases whoever hangs in the phase before.
func (s *Server) enter(f Fault) {
	old := s.phase.Swap(&phase{fault: f, over: make(chan struct{})})
	close(old.over)
}

// heal leaves Refuse for f. The fault changes before the first connection is
// accepted, so that none of them meets Refuse.
func (s *Server) heal(f Fault) error {
	s.letGo()
	l, err := listenAgain(s.addr)
	if err != nil {
		s.release = hold(s.addr)
		return err
	}
	s.enter(f)
	s.serve(l)
	return nil
}

// serve runs the accept loop of l. The caller holds mu, or is start.
func (s *Server) serve(l net.Listener) {
	if s.opts.TLS != nil {
		cfg := s.opts.TLS.Clone()
		cfg.NextProtos = []string{"http/1.1"}
		l = tls.NewListener(l, cfg)
	}
	done := make(chan struct{})
	s.socket, s.serving = l, done
	go func() {
		defer close(done)
		_ = s.http.Serve(l) // ends when shut closes l, and has no other news
	}()
}

// shut stops listening and resets every connection. The accept loop is waited
// for first: a connection it has just taken must not slip past the reset.
func (s *Server) shut() {
	if s.socket == nil {
		return
	}
	_ = s.socket.Close() // it is gone either way
	<-s.serving
	s.socket = nil
	s.conns.resetAll()
}

// letGo ends the hold on the port of a refusing server.
func (s *Server) letGo() {
	if s.release != nil {
		s.release()
		s.release = nil
	}
}

// listen binds addr once.
func listen(addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return l, nil
}

// listenAgain binds addr, trying for a while: the kernel may take a moment to
// free the port.
func listenAgain(addr string) (net.Listener, error) {
	end := time.Now().Add(bindFor)
	for {
		l, err := listen(addr)
		if err == nil || time.Now().After(end) {
			return l, err
		}
		time.Sleep(bindEvery)
	}
}

// publicURL is the URL under which a client on this machine reaches l.
func publicURL(l net.Listener, secure bool) string {
	scheme, host := "http", l.Addr().String()
	if secure {
		scheme = "https"
	}
	if a, ok := l.Addr().(*net.TCPAddr); ok && a.IP.IsUnspecified() {
		host = fmt.Sprintf("127.0.0.1:%d", a.Port)
	}
	return scheme + "://" + host
}
