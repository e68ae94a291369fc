package caddymodule_test

// line is how an option is written.
type line struct {
	// args are its arguments, "|" between the ways to write them. The checks tell
	// a duration, a number or a percentage by its looks. "..." means that more
	// arguments may follow.
	args string

	// inside is a line of its block, if it has one.
	inside string

	// zero allows the number 0. Otherwise low is the lowest, or 1.
	zero bool
	low  int

	// twice is what is wrong with the same line twice, for an option that may be
	// given more than once.
	twice string
}

// longKey is long enough to sign cookies with.
const longKey = "0123456789abcdef0123456789abcdef"

// lines has every option of every block.
var lines = map[string]map[string]line{
	"chatkit": {
		"provider":     {args: "backend http://b", inside: "timeout 1s", twice: `provider name "backend" is given twice`},
		"user":         {args: "{http.auth.user.id} ..."},
		"anonymous":    {args: "|visitor", inside: "key " + longKey},
		"session":      {args: "/s|off|/s backend ...", twice: "path /s is claimed twice|session off is given twice"},
		"refresh":      {args: "/r|off|/r backend ...", twice: "path /r is claimed twice|refresh off is given twice"},
		"stream":       {args: "/c|off|/c /up", twice: "path /c is claimed twice|stream off is given twice"},
		"message":      {args: "/c|off|/c /up", twice: "path /c is claimed twice|message off is given twice"},
		"websocket":    {args: "/c|off|/c /up", twice: "path /c is claimed twice|websocket off is given twice"},
		"chatkit":      {args: "/c|/c /up", inside: "attach on", twice: "path /c is claimed twice"},
		"failover":     {args: "any"},
		"buffer":       {args: "1MiB"},
		"buffer_total": {args: "1GiB"},
		"first_byte":   {args: "1s"},
		"stream_idle":  {args: "1s"},
		"drain":        {args: "1s"},
		"openai_api":   {args: "/v1 backend ...", inside: "key k"},
		"deadline":     {args: "1s"},
		"rate_limit":   {args: "user 10 1m|ip 10 1m|stream user 10 1m|stream ip 10 1m", twice: "rate_limit (user|ip) is given twice"},
		"max_streams":  {args: "user 5|ip 20", twice: "max_streams (user|ip) is given twice"},
		"models":       {args: "strict"},
		"drill":        {args: longKey},
		"shared":       {args: "redis://r", inside: "key " + longKey},
		"cors":         {inside: "max_age 1m"},
	},
	"anonymous": {
		"key": {args: longKey},
	},
	"openai_api": {
		"key": {args: "k"},
	},
	"shared": {
		"key":     {args: longKey},
		"prefix":  {args: "eu"},
		"timeout": {args: "1s"},
	},
	"turn": {
		"first_token":   {args: "1s"},
		"on_disconnect": {args: "cancel|finish|finish 1m"},
		"attach":        {args: "off"},
		"turns":         {args: "10 1m"},
		"parallel":      {args: "3"},
		"thread_owner":  {args: "enforce"},
		"standin":       {args: "say ...", inside: "message m", twice: `standin name "say" is given twice`},
		"memory":        {args: "20|20 1h", zero: true},
		"handback":      {args: "http://b|http://b s"},
	},
	"provider": {
		"name":        {args: "eu"},
		"timeout":     {args: "1s"},
		"retries":     {args: "1|2 1s", zero: true},
		"fallback_on": {args: "5xx ..."},
		"max_rate":    {args: "10 1m"},
		"hedge":       {args: "p95|1s"},

		"max_in_flight": {args: "10"},
		"health":        {args: "/healthz|/healthz?deep=1 1s"},
		"ramp":          {args: "1s"},
		"model":         {args: "m ..."},
		"breaker":       {inside: "probes 1"},
	},
	"breaker": {
		"consecutive": {args: "3|off"},
		"ratio":       {args: "50% of 20 in 10s|off"},
		"slow":        {args: "1s 50%"},
		"open":        {args: "1s|1s 2s"},
		"probes":      {args: "1"},
	},
	"cors": {
		"origins": {args: "https://a ..."},
		"headers": {args: "X-A ..."},
		"expose":  {args: "X-A ..."},
		"max_age": {args: "1m"},
	},
	"backend": {
		"url":             {args: "http://b"},
		"key":             {args: "k"},
		"session_path":    {args: "/s"},
		"user_in":         {args: "both"},
		"ignore_expiry":   {},
		"cancel":          {args: "on|off"},
		"forward_headers": {args: "X-A ..."},
		"transport":       {args: "http ...", inside: "dial_timeout 1s"},
	},
	"openai": {
		"key":             {args: "k"},
		"workflow":        {args: "wf ...", twice: "workflow without a model is given twice"},
		"state_variables": {args: "metadata"},
		"version":         {args: "v3"},
		"base_url":        {args: "http://b"},
		"organization":    {args: "o"},
		"project":         {args: "p"},
		"expires_after":   {args: "1m"},
		"rate_limit":      {args: "10"},
		"cancel":          {args: "on|off"},
		"file_upload":     {},
		"transport":       {args: "http ...", inside: "dial_timeout 1s"},
	},
	"sendbird": {
		"app_id":       {args: "a"},
		"api_token":    {args: "t"},
		"ttl":          {args: "1m"},
		"create_users": {},
		"host":         {args: "h"},
		"transport":    {args: "http ...", inside: "dial_timeout 1s"},
	},
	"standin": {
		"name":      {args: "eu"},
		"timeout":   {args: "1s"},
		"max_turns": {args: "10 1m"},
		"breaker":   {inside: "probes 1"},
	},
	"say": {
		"message": {args: "m"},
		"title":   {args: "t"},
	},
	"openai_chat": {
		"url":          {args: "http://m/v1"},
		"key":          {args: "k"},
		"model":        {args: "m"},
		"instructions": {args: "i"},
		"max_tokens":   {args: "100"},
		"history":      {args: "64KiB"},
		"dialect":      {args: "plain"},
		"title":        {args: "t"},
		"notice":       {args: "n"},
		"transport":    {args: "http ...", inside: "dial_timeout 1s"},
	},
	"openai_responses": {
		"url":          {args: "http://m/v1"},
		"key":          {args: "k"},
		"model":        {args: "m"},
		"instructions": {args: "i"},
		"max_tokens":   {args: "100", low: 16},
		"history":      {args: "64KiB"},
		"dialect":      {args: "plain"},
		"title":        {args: "t"},
		"notice":       {args: "n"},
		"transport":    {args: "http ...", inside: "dial_timeout 1s"},
	},
}

// place is where the lines of a block stand.
type place struct {
	open  string // what opens the block, within the one of chatkit
	needs string // the lines without which the block is refused
	name  string // what messages call the block
}

// inRoute opens the block of a chatkit route.
const inRoute = "provider backend http://b\nchatkit /c {\n"

var places = map[string]place{
	"chatkit":    {needs: "provider backend http://b\n", name: "chatkit"},
	"anonymous":  {open: "provider backend http://b\nanonymous {\n", name: "anonymous"},
	"openai_api": {open: "provider backend http://b\nopenai_api /v1 {\n", needs: "key k\n", name: "openai_api"},
	"shared":     {open: "provider backend http://b\nshared redis://r {\n", needs: "key " + longKey + "\n", name: "shared"},
	"turn":       {open: inRoute + "standin say {\nname needed\nmessage m\n}\n", name: "turn"},
	"provider":   {open: "provider backend http://b {\n", name: "backend"},
	"breaker":    {open: "provider backend http://b {\nbreaker {\n", name: "breaker"},
	"cors":       {open: "provider backend http://b\ncors {\n", name: "cors"},
	"backend":    {open: "provider backend {\n", needs: "url http://b\n", name: "backend"},
	"openai":     {open: "provider openai {\n", needs: "key k\nworkflow wf\n", name: "openai"},
	"sendbird":   {open: "provider sendbird {\n", needs: "app_id a\napi_token t\n", name: "sendbird"},

	"standin":          {open: inRoute + "standin say {\n", needs: "message m\n", name: "say"},
	"say":              {open: inRoute + "standin say {\n", needs: "message m\n", name: "say"},
	"openai_chat":      {open: inRoute + "standin openai_chat {\n", needs: "url http://m/v1\nmodel m\n", name: "openai_chat"},
	"openai_responses": {open: inRoute + "standin openai_responses {\n", needs: "url http://m/v1\nmodel m\n", name: "openai_responses"},
}
