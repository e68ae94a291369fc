package issuer

import "encoding/binary"

// entry is what is remembered of a session.
type entry struct {
	caller   key    // a hash
	until    uint32 // unix seconds, up to 2106; 0: unknown
	provider uint16 // its number
	canceled bool
}

// entrySize is the size of an entry's bytes.
const entrySize = 16 + 4 + 2 + 1

// sessionRoom is the memory for a session, in bytes: the cache's header of 24, the
// key, the entry, and an eighth because the cache's parts do not fill up evenly.
const sessionRoom = (24 + 16 + entrySize) * 9 / 8

// bytes returns the entry as it is stored.
func (e entry) bytes() (room [entrySize]byte) {
	copy(room[:], e.caller[:])
	binary.BigEndian.PutUint32(room[16:], e.until)
	binary.BigEndian.PutUint16(room[20:], e.provider)
	if e.canceled {
		room[22] = 1
	}
	return room
}

// entryOf returns the entry that was stored.
func entryOf(room []byte) (e entry) {
	if len(room) != entrySize {
		return entry{}
	}
	copy(e.caller[:], room)
	e.until = binary.BigEndian.Uint32(room[16:])
	e.provider = binary.BigEndian.Uint16(room[20:])
	e.canceled = room[22] != 0
	return e
}

// load returns what is remembered of a key.
func (x *Index) load(k key) (e entry, ok bool) {
	err := x.cache.GetFn(k[:], func(room []byte) error {
		e = entryOf(room)
		return nil
	})
	return e, err == nil
}

// store remembers an entry.
func (x *Index) store(k key, e entry) {
	room := e.bytes()
	_ = x.cache.Set(k[:], room[:], x.life) // fails only for large entries
}

// cancel marks an entry as canceled, where there is one.
func (x *Index) cancel(k key) {
	_, _, err := x.cache.Update(k[:], func(room []byte, found bool) ([]byte, bool, int) {
		if !found {
			return nil, false, 0
		}
		e := entryOf(room)
		e.canceled = true
		changed := e.bytes()
		return changed[:], true, x.life
	})
	_ = err // only of large entries
}
