// Package block parses blocks of a Caddyfile by tables of their options
// ([Options]), and replaces the placeholders of configured values at load time
// ([Resolver]).
//
// The handler and the providers share it; a provider of a third party may use it
// too. It knows none of them.
package block
