// Package exchange is an HTTP/1.1 transport for short exchanges: one request, one
// small answer. [Transport] writes and reads on the goroutine of its caller, where
// [net/http.Transport] hands both to goroutines of the connection, which costs more
// than the exchange itself. What is written and how an answer is read is net/http's:
// [net/http.Request.Write] and [net/http.ReadResponse].
//
// It does not decompress, follow redirects, use proxies or speak HTTP/2, and its
// answers are not for upgrades. It depends on nothing but the standard library; only
// caddymodule/upstream imports it.
package exchange
