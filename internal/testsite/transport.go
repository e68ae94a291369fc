package testsite

import "encoding/json"

// TransportEnv is the variable that, set to CaddysTransport, has providers call by
// Caddy's transport also where they have one that costs less. The tests hold over
// both.
const (
	TransportEnv    = "CHATKIT_TEST_TRANSPORT"
	CaddysTransport = "caddy"
)

// viaCaddy returns the configuration with a setting for each provider without a
// transport that only Caddy's transport has.
func viaCaddy(config []byte) []byte {
	var all any
	if json.Unmarshal(config, &all) != nil {
		return config
	}
	setTransports(all)
	changed, err := json.Marshal(all)
	if err != nil {
		return config
	}
	return changed
}

func setTransports(in any) {
	switch v := in.(type) {
	case []any:
		for _, element := range v {
			setTransports(element)
		}
	case map[string]any:
		if provider, ok := v["provider"].(map[string]any); ok && provider["transport"] == nil {
			provider["transport"] = map[string]any{"protocol": "http", "compression": false, "keep_alive": map[string]any{"max_idle_conns": 1000}}
		}
		for _, element := range v {
			setTransports(element)
		}
	}
}
