package clients

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/appconfig"
	"github.com/aws/aws-sdk-go-v2/service/appconfig/types"
	"github.com/aws/smithy-go"
	"github.com/matryer/is"

	"slipway/test/installation"
)

// sdk is AWS's SDK, unmodified, as its user uses it.
type sdk struct {
	*appconfig.Client
	*is.I
	t    *testing.T
	s    *installation.Installation
	made []string // strategies, to be deleted after the case: there can be twenty
}

var (
	accessKeyID  = regexp.MustCompile(`(?m)^  AWS_ACCESS_KEY_ID=(\S+)`)
	accessSecret = regexp.MustCompile(`(?m)^  AWS_SECRET_ACCESS_KEY=(\S+)`)
)

// printedKey is the access key that the first start has shown.
func printedKey(t *testing.T, s *installation.Installation) (id, secret string) {
	t.Helper()
	p := s.Parts[installation.AllInOne]
	return p.Says(t, accessKeyID), p.Says(t, accessSecret)
}

func newSDK(t *testing.T, s *installation.Installation, id, secret string) *sdk {
	t.Helper()
	return &sdk{I: is.New(t), t: t, s: s, Client: appconfig.New(appconfig.Options{
		BaseEndpoint: aws.String(s.API), Region: "eu-central-1", Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}, nil
		}),
	})}
}

// TestAppConfig runs the cases of AppConfig's table of conformance that are about strategies. Its output says how many ran.
func TestAppConfig(t *testing.T) {
	t.Parallel()
	s := installation.Serve(t, t.TempDir())
	id, secret := printedKey(t, s)
	ran, passed := 0, 0
	for _, c := range slices.Concat(appConfigCases, deployCases) {
		ok := t.Run(c.name, func(t *testing.T) {
			w := newSDK(t, s, id, secret)
			defer w.tidy()
			c.run(w)
		})
		ran++
		if ok {
			passed++
		}
	}
	t.Logf("AWS AppConfig's strategies with AWS's SDK: cases 1 to 38, %d ran, %d passed", ran, passed)
	if ran != 38 {
		t.Errorf("%d cases ran, there are 38", ran)
	}
}

// creation is the least that a strategy needs.
func creation(change func(*appconfig.CreateDeploymentStrategyInput)) *appconfig.CreateDeploymentStrategyInput {
	in := &appconfig.CreateDeploymentStrategyInput{
		Name: aws.String("careful"), DeploymentDurationInMinutes: aws.Int32(15), GrowthFactor: aws.Float32(25),
	}
	if change != nil {
		change(in)
	}
	return in
}

// creates makes a strategy.
func (w *sdk) creates(change func(*appconfig.CreateDeploymentStrategyInput)) *appconfig.CreateDeploymentStrategyOutput {
	w.t.Helper()
	out, err := w.CreateDeploymentStrategy(w.t.Context(), creation(change))
	if err != nil {
		w.t.Fatal(err)
	}
	w.made = append(w.made, *out.Id)
	return out
}

// gets reads a strategy.
func (w *sdk) gets(id string) *appconfig.GetDeploymentStrategyOutput {
	w.t.Helper()
	out, err := w.GetDeploymentStrategy(w.t.Context(), &appconfig.GetDeploymentStrategyInput{DeploymentStrategyId: &id})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// deletes deletes a strategy.
func (w *sdk) deletes(id string) error {
	_, err := w.DeleteDeploymentStrategy(w.t.Context(), &appconfig.DeleteDeploymentStrategyInput{DeploymentStrategyId: &id})
	return err
}

// updates changes a strategy.
func (w *sdk) updates(id string, change func(*appconfig.UpdateDeploymentStrategyInput)) (*appconfig.UpdateDeploymentStrategyOutput, error) {
	in := &appconfig.UpdateDeploymentStrategyInput{DeploymentStrategyId: &id}
	if change != nil {
		change(in)
	}
	return w.UpdateDeploymentStrategy(w.t.Context(), in)
}

// tidy deletes what a case has made.
func (w *sdk) tidy() {
	for _, id := range w.made {
		var gone *types.ResourceNotFoundException
		if err := w.deletes(id); err != nil && !errors.As(err, &gone) {
			w.t.Error(err)
		}
	}
}

// refused checks that the SDK knows the error, with its status, the id of the request and a part of the text.
func refused[E error](w *sdk, err error, status int, text string) {
	w.t.Helper()
	var typed E
	if !errors.As(err, &typed) {
		w.t.Fatalf("got %v, want a %T", err, typed)
	}
	w.answered(err, status, text)
}

func (w *sdk) answered(err error, status int, text string) {
	w.t.Helper()
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != status || response.ServiceRequestID() == "" {
		w.t.Errorf("got %v, want status %d and the id of the request", err, status)
	}
	var api smithy.APIError
	if !errors.As(err, &api) || !strings.Contains(api.ErrorMessage(), text) {
		w.t.Errorf("got %v, want something with %q", err, text)
	}
}

// refuses checks that a strategy cannot be created, and names why.
func (w *sdk) refuses(member string, change func(*appconfig.CreateDeploymentStrategyInput)) {
	w.t.Helper()
	out, err := w.CreateDeploymentStrategy(w.t.Context(), creation(change))
	if err == nil {
		w.made = append(w.made, *out.Id)
		w.t.Fatalf("%s was accepted", member)
	}
	refused[*types.BadRequestException](w, err, 400, member)
}

// list lists all strategies, page by page.
func (w *sdk) list(pageSize int32) (ids []string) {
	w.t.Helper()
	in := &appconfig.ListDeploymentStrategiesInput{}
	if pageSize > 0 {
		in.MaxResults = &pageSize
	}
	for pages := appconfig.NewListDeploymentStrategiesPaginator(w, in); pages.HasMorePages(); {
		page, err := pages.NextPage(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		for _, item := range page.Items {
			ids = append(ids, *item.Id)
		}
	}
	return ids
}
