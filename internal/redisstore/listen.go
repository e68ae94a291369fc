package redisstore

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long a connection may be silent before it is tested, and how long
// the answer to that may take.
const patience = 3 * time.Second

// Listen implements [fleet.Engine].
func (s *Store) Listen(ctx context.Context, ready func(), got func(message []byte)) error {
	sub := s.client.Subscribe(ctx, s.channel)
	defer sub.Close()
	// A read is not interrupted by the context, but by this.
	defer context.AfterFunc(ctx, func() { _ = sub.Close() })()
	tested := false
	for {
		m, err := sub.ReceiveTimeout(ctx, patience)
		switch {
		case err == nil:
			tested = false
		case ctx.Err() != nil:
			return ctx.Err()
		case isTimeout(err) && !tested:
			if err := sub.Ping(ctx); err != nil {
				return err
			}
			tested = true
			continue
		default:
			return err
		}
		switch m := m.(type) {
		case *redis.Subscription:
			ready()
		case *redis.Message:
			got([]byte(m.Payload))
		}
	}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
