package chatkit

import (
	"bytes"
	"encoding/json"
	"slices"
)

// dataField and bom are how a frame of the protocol begins, and what may stand
// before the first.
var (
	dataField = []byte("data:")
	bom       = []byte("\xef\xbb\xbf")
)

// Data returns the data of a frame, its lines joined, and nil where it has none: a
// comment, a bare id. It is a part of the frame where that is possible.
func Data(frame []byte) (data []byte) {
	frame = bytes.TrimPrefix(frame, bom)
	for len(frame) > 0 {
		var line []byte
		line, frame = cutLine(frame)
		value, ok := bytes.CutPrefix(line, dataField)
		switch {
		case !ok:
		case data == nil:
			data = bytes.TrimPrefix(value, []byte(" "))
			data = slices.Clip(data) // to be copied before another is appended
		default:
			data = append(append(data, '\n'), bytes.TrimPrefix(value, []byte(" "))...)
		}
	}
	return data
}

// cutLine cuts the first line off, and the end of it: LF, CR or both.
func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	if i := bytes.IndexByte(line, '\r'); i >= 0 {
		if i < len(line)-1 {
			return line[:i], b[i+1:]
		}
		return line[:i], rest
	}
	return line, rest
}

// FirstFrame returns how long the first frame with data in a part of a stream is,
// with all that comes before it, and 0 where its end is not there.
func FirstFrame(part []byte) int {
	data, text, at := false, false, 0
	for at < len(part) {
		line, rest := cutLine(part[at:])
		if len(rest) == 0 && !endsLine(part) {
			return 0
		}
		at = len(part) - len(rest)
		switch {
		case len(line) > 0:
			text = true
			data = data || bytes.HasPrefix(bytes.TrimPrefix(line, bom), dataField)
		case text && data:
			return at
		default:
			text = false
		}
	}
	return 0
}

// endsLine reports whether the last byte ends a line.
func endsLine(b []byte) bool { return b[len(b)-1] == '\n' || b[len(b)-1] == '\r' }

// Whole reports whether the last bytes of a stream, which lack the blank line that
// ends a frame, are a frame but for it: some servers forget the line, and clients
// forgive that. Anything else was cut.
func Whole(tail []byte) bool {
	if data := Data(tail); data != nil {
		return json.Valid(data)
	}
	for len(tail) > 0 {
		var line []byte
		if line, tail = cutLine(tail); len(line) > 0 && line[0] != ':' {
			return false
		}
	}
	return true
}

// AppendFrame appends a frame with the event, which must be one that encoding/json
// can write.
func AppendFrame(b []byte, event any) []byte {
	text, err := json.Marshal(event)
	if err != nil {
		panic(err) // not one of ours
	}
	b = append(append(b, "data: "...), text...)
	return append(b, "\n\n"...)
}
