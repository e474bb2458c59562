package notify

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"slipway/events"
)

// secretPrefix begins every secret, so that people and scanners know one when they see it (Standard Webhooks).
const secretPrefix = "whsec_"

// Secrets derives what deliveries are signed with from a secret that Slipway's parts share. So no subscription's secret is kept
// anywhere, and whoever reads the log learns none.
type Secrets struct{ shared string }

// NewSecrets derives from a shared secret.
func NewSecrets(shared string) Secrets { return Secrets{shared} }

// Of is the secret of a subscription, by its generation, as its receiver is told it.
func (s Secrets) Of(id events.SubscriptionID, generation int) string {
	return secretPrefix + base64.StdEncoding.EncodeToString(s.key(id, generation))
}

func (s Secrets) key(id events.SubscriptionID, generation int) []byte {
	key, err := hkdf.Key(sha256.New, []byte(s.shared), nil, fmt.Sprintf("slipway webhook %s %d", id, generation), sha256.Size)
	if err != nil {
		panic(fmt.Sprintf("notify: %v", err)) // of a length that cannot be, which this one is not
	}
	return key
}

// sign gives the header webhook-signature: one signature for each key, over id, time and body.
func sign(keys [][]byte, id, timestamp string, body []byte) string {
	signatures := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(signatures, " ")
}
