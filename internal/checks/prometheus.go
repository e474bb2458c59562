package checks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"slipway/aggregates/check"
)

// query asks a Prometheus server for the present value of a query. Whatever keeps it from an answer is inconclusive.
func (w *Web) query(ctx context.Context, q Question) check.Finding {
	client, err := api.NewClient(api.Config{Address: q.URL, Client: &w.prometheus})
	if err != nil {
		return check.NotAsked("the url cannot be read: " + plainly(err))
	}
	query := q.expand(q.Query, func(id string) string { return id }) // ids need no escaping: they are letters and digits
	timeout := time.Duration(q.Timeout) * time.Second
	value, warnings, err := prometheus.NewAPI(client).Query(ctx, query, time.Time{}, prometheus.WithTimeout(timeout))
	if err != nil {
		return check.NotAsked(unanswered(ctx, err, q))
	}
	samples, err := samplesOf(value)
	if err != nil {
		return check.NotAsked(err.Error())
	}
	f := check.Judge(q.Check, samples)
	if len(warnings) > 0 {
		f.Message += "; Prometheus warns: " + strings.Join(warnings, "; ")
	}
	return f
}

// unanswered says why a query has no answer. Of what is no answer of a Prometheus nothing is shown: it may be anybody's.
func unanswered(ctx context.Context, err error, q Question) string {
	var refused *prometheus.Error
	var unreached *url.Error
	switch {
	case timedOut(ctx, err):
		return fmt.Sprintf("Prometheus did not answer within %d s", q.Timeout)
	case errors.As(err, &refused) && refused.Type != prometheus.ErrBadResponse:
		return fmt.Sprintf("Prometheus says %s: %s", refused.Type, refused.Msg)
	case errors.As(err, &unreached), errors.Is(err, errTooLarge), errors.Is(err, io.ErrUnexpectedEOF):
		return "Prometheus cannot be asked: " + plainly(err)
	}
	return "what answers at the url does not speak as Prometheus does"
}

// samplesOf takes the values out of what a query gives: a vector or a scalar.
func samplesOf(value model.Value) ([]check.Sample, error) {
	switch value := value.(type) {
	case *model.Scalar:
		return []check.Sample{{Value: float64(value.Value)}}, nil
	case model.Vector:
		var samples []check.Sample
		for _, s := range value {
			if s.Histogram != nil {
				return nil, errors.New("the query gives a histogram: want a number, as of histogram_quantile()")
			}
			samples = append(samples, check.Sample{Series: s.Metric.String(), Value: float64(s.Value)})
		}
		return samples, nil
	case nil:
		return nil, errors.New("no result came from Prometheus")
	}
	return nil, fmt.Errorf("the query gives a %s: want a vector or a scalar", value.Type())
}
