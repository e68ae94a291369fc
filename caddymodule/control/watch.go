package control

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

// clearScreen moves a terminal's cursor to the top left and empties the screen.
const clearScreen = "\x1b[H\x1b[2J"

// watchStatus prints the status again and again, until the command is
// interrupted. After the first answer it goes on through restarts of Caddy.
func watchStatus(fl caddycmd.Flags, every time.Duration) error {
	for known := false; ; known = true {
		resp, err := open(fl.FlagSet, http.MethodGet, eventsPath+"?every="+every.String(), nil)
		if err != nil && !known {
			return err
		}
		if err != nil {
			_, _ = fmt.Println(time.Now().Format(time.TimeOnly), err)
		} else if err := printEvents(fl, resp); err != nil {
			return err
		}
		time.Sleep(every)
	}
}

// printEvents prints each overview of a stream, until it ends.
func printEvents(fl caddycmd.Flags, resp *http.Response) error {
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if err := printEvent(fl, data); err != nil {
			return err
		}
	}
	return nil // Caddy has ended the stream: a reload, a restart
}

func printEvent(fl caddycmd.Flags, data string) error {
	if fl.Bool("json") {
		_, err := fmt.Println(data)
		return err
	}
	var o overview
	if err := json.Unmarshal([]byte(data), &o); err != nil {
		return fmt.Errorf("reading answer of the admin API: %w", err)
	}
	if info, err := os.Stdout.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		_, _ = fmt.Print(clearScreen)
	}
	_, _ = fmt.Println(time.Now().Format(time.TimeOnly))
	if err := writeOverview(os.Stdout, &o, fl.Bool("fallbacks")); err != nil {
		return err
	}
	_, err := fmt.Println()
	return err
}
