// Package chatkit has turns answered by a ChatKit server that others have written:
// npm's chatkit-node-backend-sdk. It holds tests only.
package chatkit
