package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/access"
	"slipway/internal/auth"
	"slipway/internal/cferror"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/manifest"
	"slipway/internal/resource"
	"slipway/projections"
)

// Commands carries out commands: *commands.Handler.
type Commands interface {
	Handle(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error)
	resource.Judges
	Forecast(ctx context.Context, c commands.CreateDeployment, a commands.Assumptions, by commands.Caller) (commands.Forecast, error)
	UploadDroplet(ctx context.Context, id events.DropletID, r io.Reader, by commands.Caller) (commands.Result, error)
}

// Packages takes the bits of packages: *commands.Handler.
type Packages interface {
	UploadPackage(ctx context.Context, id events.PackageID, r io.Reader, by commands.Caller) (commands.Result, error)
}

// Keys says who signed a request to AWS AppConfig's paths: *auth.Authority.
type Keys interface {
	// VerifySigned is given the body beside the request. Its errors are *sigv4.Fault.
	VerifySigned(ctx context.Context, r *http.Request, body []byte) (auth.Identity, error)
}

// Config is what an API needs.
type Config struct {
	Commands Commands
	Packages Packages
	Store    *projections.Store
	Log      eventlog.Log
	Apps     *eventlog.Repository[app.State] // over Log
	Auth     auth.Verifier                   // who may ask; nil: nobody
	Keys     Keys                            // who may sign requests with access keys; nil: nobody
	Clients  Clients                         // who may show a secret instead of a token; nil: nobody
	Login    http.Handler                    // the token server, which is mounted at /uaa; nil: there is none here
	Logger   *slog.Logger
	UserIDs  resource.UserIDs // the guids of users; nil: none is known
	// Secrets gives what deliveries to a subscription are signed with; nil: nobody is shown it.
	Secrets   func(events.SubscriptionID, int) string
	BaseURL   string           // that links begin with; empty: as the request names the server
	Patience  time.Duration    // for the read models to show a command; 0: resource.Patience
	KeepAlive time.Duration    // between signs of life on a silent stream; 0: 15 s, below what proxies cut off
	Now       func() time.Time // nil: time.Now
}

// API answers HTTP requests.
type API struct {
	Config
	reader    resource.Reader
	gate      *access.Gate
	registry  *events.Registry
	manifests *manifest.Applier
	streams   streams
	echo      *echo.Echo
}

const defaultKeepAlive = 15 * time.Second

// New makes an API. It runs nothing by itself; [API.Close] ends the streams that are open.
func New(c Config) *API {
	if c.KeepAlive == 0 {
		c.KeepAlive = defaultKeepAlive
	}
	if c.Auth == nil {
		c.Auth = nobody{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	a := &API{
		Config: c, reader: resource.Reader{Store: c.Store, Patience: c.Patience, UserIDs: c.UserIDs, Secrets: c.Secrets}, registry: events.NewRegistry(), echo: echo.New(),
	}
	finder := resource.Finder{Reader: a.reader, Log: c.Log}
	a.gate = access.New(finder)
	a.manifests = manifest.New(manifest.Config{
		Commands: c.Commands, Finder: finder, Store: c.Store, Log: c.Log, Apps: c.Apps,
		CodeOf: func(err error) string { return cferror.From(err).Title },
	})
	a.echo.Logger.SetOutput(io.Discard) // what is to be said is said through c.Logger
	a.echo.HTTPErrorHandler = a.failed
	a.echo.Pre(withoutTrailingSlash, a.guarded)
	a.echo.Use(a.authenticated, withFullPath)
	a.routes()
	return a
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.echo.ServeHTTP(w, r) }

// Close ends all streams and waits for their end. Later streams are refused.
func (a *API) Close() { a.streams.end() }

// get answers GET, and HEAD with the same headers.
func (a *API) get(path string, h echo.HandlerFunc) {
	a.echo.GET(path, h)
	a.echo.HEAD(path, h)
}

func (a *API) routes() {
	a.get("/", a.root)
	a.get("/v3", a.root3)
	a.get("/v3/info", a.info)
	a.mountLogin()
	a.get(pathOpenAPI, a.openAPI)
	a.get("/healthz", a.healthy)
	a.get("/readyz", a.ready)
	a.get("/v3/jobs/:guid", a.job)
	a.appRoutes()
	a.processRoutes()
	a.dropletRoutes()
	a.featureRoutes()
	a.auditRoutes()
	a.manifestRoutes()
	a.packageRoutes()
	a.buildRoutes()
	a.revisionRoutes()
	a.deploymentRoutes()
	a.approvalRoutes()
	a.haltRoutes()
	a.groupRoutes()
	a.policyRoutes()
	a.organizationRoutes()
	a.roleRoutes()
	a.quotaRoutes()
	a.routeRoutes()
	a.signalRoutes()
	a.subscriptionRoutes()
	a.appConfigRoutes()
}
