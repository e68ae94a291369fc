package turn_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// A stand-in's answer has no limit of first_token, and ends when its last client is
// lost, also where a backend's would be read on.
func TestStandIn(t *testing.T) {
	each(t, func(s *site) {
		s.answer = func(int) (*turn.Answer, error) { return &turn.Answer{StandIn: true}, nil }
		c, err := s.Do(s.Context(), &turn.Request{
			Asker: turn.Asker{Caller: "a"}, Options: turn.Options{FirstToken: time.Second, Finish: time.Minute}, Ask: s.ask,
		})
		if err != nil {
			t.Fatal(err)
		}
		b := s.streams[0]
		b.send(user)
		time.Sleep(10 * time.Second)
		b.send(added)
		buf := make([]byte, 4096)
		var got strings.Builder
		for got.String() != user+added {
			n, err := c.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got.Write(buf[:n])
		}
		_ = c.Close()
		synctest.Wait()
		if b.ctx.Err() == nil {
			t.Error("the answer goes on")
		}
		if end, _ := c.Ended(); end != turn.Canceled {
			t.Errorf("ended %s", end)
		}
	})
}

// A frame of ours stands behind the first one with data, wherever the backend's parts
// are cut, and counts for nothing.
func TestBehind(t *testing.T) {
	for name, tt := range map[string]struct {
		parts []any
		want  string
	}{
		"one by one":     {[]any{user, options, done, io.EOF}, user + notice + options + done},
		"at once":        {[]any{user + options + done, io.EOF}, user + notice + options + done},
		"comment first":  {[]any{": hi\n\n" + user + options, done, io.EOF}, ": hi\n\n" + user + notice + options + done},
		"CRLF":           {[]any{strings.ReplaceAll(user+done, "\n", "\r\n"), io.EOF}, strings.ReplaceAll(user, "\n", "\r\n") + notice + strings.ReplaceAll(done, "\n", "\r\n")},
		"nothing":        {[]any{io.EOF}, broken},
		"no blank line":  {[]any{strings.TrimSuffix(done, "\n\n"), io.EOF}, done + notice},
		"in small parts": {[]any{user[:10], user[10:], done, io.EOF}, user + notice + done},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(s *site) {
				told := 0
				s.answer = func(int) (*turn.Answer, error) {
					return &turn.Answer{Behind: []byte(notice), Told: func() { told++ }}, nil
				}
				c, err := s.Do(s.Context(), &turn.Request{Asker: turn.Asker{Caller: "a"}, Options: turn.Options{Finish: time.Minute}, Ask: s.ask})
				if err != nil {
					t.Fatal(err)
				}
				for _, part := range tt.parts {
					s.streams[0].parts <- part
				}
				got, err := io.ReadAll(c)
				if err != nil || string(got) != tt.want {
					t.Errorf("got %q, %v\nwant %q", got, err, tt.want)
				}
				_ = c.Close()
				synctest.Wait()
				if want := strings.Count(tt.want, notice); told != want {
					t.Errorf("told %d times, want %d", told, want)
				}
			})
		})
	}
}
