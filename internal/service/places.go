package service

import (
	"context"

	"slipway/internal/auth"
	"slipway/internal/resource"
	"slipway/projections"
)

// PlacesOf is [Places] of a store that will be opened: who asks before waits.
func PlacesOf(opened <-chan *projections.Store) func(context.Context) ([]auth.Place, error) {
	first := make(chan *projections.Store, 1) // holds it, once it is there
	return func(ctx context.Context) ([]auth.Place, error) {
		var store *projections.Store
		select {
		case store = <-opened:
		case store = <-first:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		first <- store
		return Places(store)(ctx)
	}
}

// Places lists all spaces with their names, as far as the read models show them.
func Places(store *projections.Store) func(context.Context) ([]auth.Place, error) {
	return resource.Reader{Store: store}.Places
}
