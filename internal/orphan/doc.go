// Package orphan cancels sessions that nobody gets, at their providers and in the
// background: of the provider that lost a hedged request, and of answers that come after
// their time limit.
//
// It is of the pure ring. The chain hands sessions over, the registry keeps a [Keeper] for
// each provider.
package orphan
