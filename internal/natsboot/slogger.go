package natsboot

import (
	"fmt"
	"log/slog"
	"strings"
)

// slogger hands the server's log to slog. Its notices are a page at every start, so they count as details here.
type slogger struct {
	log   *slog.Logger
	fatal chan<- string // takes the first reason why the server cannot go on
}

func (l slogger) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l slogger) Warnf(format string, v ...any)   { l.log.Warn(fmt.Sprintf(format, v...)) }
func (l slogger) Debugf(format string, v ...any)  { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l slogger) Tracef(format string, v ...any)  { l.log.Debug(fmt.Sprintf(format, v...)) }

// Errorf tells what a person should see. What clients do wrong is not among it, and the names of those who fail to log in are
// left out: a password that was typed in the wrong place would be one.
func (l slogger) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	switch before, _, refused := strings.Cut(text, "authentication error"); {
	case refused:
		l.log.Warn("login refused", slog.String("client", strings.TrimRight(before, " -")))
	case strings.Contains(text, "Violation"):
		l.log.Debug(text)
	default:
		l.log.Error(text)
	}
}

// Fatalf does not end the process, as nats-server's own would: the caller of Start is told and decides.
func (l slogger) Fatalf(format string, v ...any) {
	reason := fmt.Sprintf(format, v...)
	l.log.Error(reason)
	select {
	case l.fatal <- reason:
	default:
	}
}
