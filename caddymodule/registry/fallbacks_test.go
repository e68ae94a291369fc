package registry

import (
	"strconv"
	"testing"
)

func TestFallbackLog(t *testing.T) {
	var l fallbackLog
	if got := l.list(); got == nil || len(got) != 0 {
		t.Errorf("at first: got %v", got)
	}
	for i := range 120 {
		l.add(Fallback{RequestID: strconv.Itoa(i)})
		if i == 1 {
			if got := l.list(); len(got) != 2 || got[0].RequestID != "1" {
				t.Errorf("after two: got %v", got)
			}
		}
	}
	got := l.list()
	if len(got) != 50 || got[0].RequestID != "119" || got[49].RequestID != "70" {
		t.Errorf("after 120: got %d, from %s to %s", len(got), got[0].RequestID, got[len(got)-1].RequestID)
	}
}
