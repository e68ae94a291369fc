package shared

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// maxDenials is how many keys without tokens are remembered.
const maxDenials = 1 << 14

// denials remembers which keys have no token, and until when: who asks again and
// again does not reach Redis each time.
type denials struct{ until *lru.Cache[string, time.Time] }

func newDenials() *denials {
	cache, err := lru.New[string, time.Time](maxDenials)
	if err != nil {
		panic(err) // the size is above 0
	}
	return &denials{cache}
}

func (d *denials) note(key string, wait time.Duration) { d.until.Add(key, time.Now().Add(wait)) }

func (d *denials) left(key string) time.Duration {
	until, ok := d.until.Get(key)
	if !ok {
		return 0
	}
	return max(time.Until(until), 0)
}
