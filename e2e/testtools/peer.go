package testtools

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// limit ends what hangs.
const limit = time.Minute

// Output runs a program to its end, which has to be a good one, and returns what
// it has printed.
func Output(t *testing.T, in string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // tests name it
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr, cmd.WaitDelay = strings.NewReader(in), &stderr, time.Second
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s%s", args[0], err, &stderr, out)
	}
	return string(out)
}

// Peer is a running program that a test talks with. It has to end when its input
// does, so that none is left over should the test itself be killed.
type Peer struct {
	In   io.Closer
	Out  *bufio.Reader
	Err  testsite.Buffer
	Wait func() error
}

// Start starts one, which ends with the test at the latest.
func Start(t *testing.T, dir string, env []string, args ...string) *Peer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	p := new(Peer)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // tests name it
	cmd.Dir, cmd.Env, cmd.Stderr, cmd.WaitDelay = dir, append(os.Environ(), env...), &p.Err, time.Second
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	p.In, p.Out, p.Wait = in, bufio.NewReader(out), sync.OnceValue(cmd.Wait)
	t.Cleanup(cancel)
	if errIn != nil || errOut != nil {
		t.Fatal(errIn, errOut)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		cancel()
		_ = p.Wait()
		if text := p.Err.String(); t.Failed() && text != "" {
			t.Logf("%s: %s", strings.Join(args, " "), text)
		}
	})
	return p
}
