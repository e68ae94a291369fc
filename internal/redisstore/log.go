package redisstore

import (
	"context"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"
)

// lines passes on what the client of Redis has to say of its connections. It says it
// for the whole process.
type lines struct{ write func(line string) }

// Printf implements the client's logger.
func (l lines) Printf(_ context.Context, format string, v ...any) { l.write(fmt.Sprintf(format, v...)) }

var logging sync.Once

// LogTo has the client's lines written, which would go to the standard error output.
// Only the first call counts.
func LogTo(write func(line string)) { logging.Do(func() { redis.SetLogger(lines{write}) }) }
