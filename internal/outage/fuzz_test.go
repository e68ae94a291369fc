package outage_test

import (
	"io"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit/chatkittest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/outage"
)

// Whatever is asked, and however stand-ins answer: every frame and every body fits the
// schema, and the turn ends in order.
func FuzzRequests(f *testing.F) {
	for _, body := range []string{
		`{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"Hi"},{"type":"input_tag","id":"1","text":"@a","data":{"x":[1]}}],"quoted_text":"q","attachments":[],"inference_options":{"tool_choice":{"id":"t"},"model":"m"}}}}`,
		`{"type":"threads.add_user_message","params":{"thread_id":"thr_1","input":{"content":[{"type":"input_text","text":"Hi"}]}}}`,
		`{"type":"threads.retry_after_item","params":{"thread_id":"thr_si_1","item_id":"m"}}`, `{"type":"threads.add_client_tool_output","params":{"thread_id":"t"}}`,
		`{"type":"threads.custom_action","params":{"thread_id":"t"}}`, `{"type":"threads.add_structured_input","params":{"thread_id":"t"}}`,
		`{"type":"threads.list","params":{"limit":1,"after":"x"}}`, `{"type":"items.list","params":{"thread_id":"thr_1","order":"asc"}}`,
		`{"type":"threads.get_by_id","params":{"thread_id":"thr_si_1"}}`, `{"type":"threads.update","params":{"thread_id":"thr_si_1","title":"T"}}`,
		`{"type":"threads.delete","params":{"thread_id":"thr_si_1"}}`, `{"type":"items.feedback","params":{"thread_id":"thr_si_1"}}`,
	} {
		f.Add([]byte(body), "Hel", "lo", int8(0))
		f.Add([]byte(body), "a", "", int8(2))
	}
	f.Fuzz(func(t *testing.T, body []byte, one, two string, result int8) {
		call, err := chatkit.ParseCall(body)
		if err != nil {
			return
		}
		play(t, func(p *played) {
			p.result = outage.Result((int(result)%4 + 4) % 4)
			if p.result == outage.Left {
				p.result = outage.Complete // nobody has left
			}
			p.says = nil
			if one != "" {
				p.says = []string{one, two}
			} else {
				p.result = outage.Silent
			}
			for range 2 { // the second time there is something
				if !call.Type.Streams() {
					if b := p.Serve(p.Context(), ann, call); b != nil {
						if err := chatkittest.Answer(call.Type, b); err != nil && call.Thread != "" {
							t.Errorf("%v: %s", err, b)
						}
					}
					p.turn(ann, create, "Hi")
					continue
				}
				r := p.Turn(p.Context(), ann, call)
				b, err := io.ReadAll(r)
				_ = r.Close()
				if err != nil || call.Type != chatkit.ThreadsCreate && call.Thread == "" {
					continue // every operation but create names a thread
				}
				if err := chatkittest.Turn(b); err != nil {
					t.Errorf("%v:\n%s", err, b)
				}
			}
		})
	})
}
