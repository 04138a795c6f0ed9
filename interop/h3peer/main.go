// Test peer: an HTTP/3 server by quic-go that says by which suite it was reached, and answers with what it was sent.
//
//	h3peer ADDRESS CERTIFICATE KEY [--retry] [--forward URL]
//
// Prints one line of JSON for each request: path, bytes, suite, protocol, early (0-RTT), the suites that the client offered.
package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

type line struct {
	Path     string   `json:"path"`
	Bytes    int      `json:"bytes"`
	Suite    string   `json:"suite"`
	Version  string   `json:"version"`
	Protocol string   `json:"protocol"`
	Early    bool     `json:"early"`
	Offered  []string `json:"offered"`
	Status   int      `json:"status"`
}

var (
	mutex   sync.Mutex
	offered []string
)

func fail(err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

func main() {
	retry := flag.Bool("retry", false, "every client must prove its address first")
	forward := flag.String("forward", "", "post what came to this URL and answer as it does")
	flag.Parse()
	certificate, err := tls.LoadX509KeyPair(flag.Arg(1), flag.Arg(2))
	fail(err)
	config := http3.ConfigureTLSConfig(&tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS13,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			mutex.Lock()
			defer mutex.Unlock()
			offered = nil
			for _, suite := range hello.CipherSuites {
				offered = append(offered, tls.CipherSuiteName(suite))
			}
			return nil, nil
		},
	})
	address, err := net.ResolveUDPAddr("udp", flag.Arg(0))
	fail(err)
	socket, err := net.ListenUDP("udp", address)
	fail(err)
	transport := &quic.Transport{Conn: socket, VerifySourceAddress: func(net.Addr) bool { return *retry }}
	listener, err := transport.ListenEarly(config, &quic.Config{})
	fail(err)
	output := json.NewEncoder(os.Stdout)
	server := http3.Server{Handler: http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return // the client broke off
		}
		status, reply := 200, body
		if *forward != "" {
			status, reply = pass(*forward+request.URL.Path, request.Header, body)
		}
		mutex.Lock()
		_ = output.Encode(line{request.URL.Path, len(body), tls.CipherSuiteName(request.TLS.CipherSuite),
			tls.VersionName(request.TLS.Version), request.Proto, !request.TLS.HandshakeComplete, offered, status})
		mutex.Unlock()
		answer.WriteHeader(status)
		_, _ = answer.Write(reply)
	})}
	os.Stderr.WriteString("listening\n")
	fail(server.ServeListener(listener))
}

func pass(url string, headers http.Header, body []byte) (int, []byte) {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 500, nil
	}
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		if value := headers.Get(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 502, nil
	}
	defer answer.Body.Close()
	reply, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, reply
}
