package sandbox

import (
	"context"
	"fmt"
	"net"
	"time"
)

// How long, and how often, a healing server tries to get its port back.
const (
	bindFor   = 2 * time.Second
	bindEvery = 5 * time.Millisecond
)

// Set switches to f. When it returns, f applies to new connections: with Refuse
// they are refused, with any other fault they are accepted on the same port.
// Refuse resets the connections of requests in flight, and leaving Hang those of
// hanging requests. Other requests in flight finish with the fault they began
// with.
//
// The error names an unknown fault, is ErrClosed after Close, or says why the
// port could not be bound again; the fault then stays Refuse.
func (s *Server) Set(f Fault) error {
	if _, err := parseFault(string(f)); err != nil {
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

// enter activates f and releases the requests that hang in the previous phase.
func (s *Server) enter(f Fault) {
	old := s.phase.Swap(&phase{fault: f, over: make(chan struct{})})
	close(old.over)
}

// heal leaves Refuse for f. The fault changes before the first connection is
// accepted, so that Refuse applies to none of them.
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
	done := make(chan struct{})
	s.socket, s.serving = l, done
	go func() {
		defer close(done)
		_ = s.http.Serve(l) // ends when shut closes l
	}()
}

// shut stops listening and resets every connection. It waits for the accept loop
// first, so that a connection accepted just now is reset too.
func (s *Server) shut() {
	if s.socket == nil {
		return
	}
	_ = s.socket.Close() // closed either way
	<-s.serving
	s.socket = nil
	s.conns.resetAll()
}

// letGo releases the port of a refusing server.
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
