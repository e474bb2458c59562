package api

import (
	"log/slog"
	"net/http"
	"time"
)

// Limits of a connection. There is no limit on a whole request or answer: uploads take long and streams do not end. Bodies
// and streams have deadlines of their own instead.
const (
	readHeaderTimeout = 10 * time.Second // a client that sends its headers slower is broken or hostile
	idleTimeout       = 2 * time.Minute  // of a kept connection without a request
	maxHeaderBytes    = 64 << 10         // room for long filters and tokens
)

// Server makes a server for the API. When it is shut down it ends the streams, which would hold it up otherwise.
func (a *API) Server() *http.Server {
	s := &http.Server{
		Handler: a, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(a.Logger.Handler(), slog.LevelWarn),
	}
	s.RegisterOnShutdown(a.Close)
	return s
}
