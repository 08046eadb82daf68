package libvirt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificates are libvirt's own places for them; a pkipath in the URI names one folder for all.
func certificates(pki string) (cert, key, ca string) {
	if pki != "" {
		return filepath.Join(pki, "clientcert.pem"), filepath.Join(pki, "clientkey.pem"), filepath.Join(pki, "cacert.pem")
	}
	return "/etc/pki/libvirt/clientcert.pem", "/etc/pki/libvirt/private/clientkey.pem", "/etc/pki/CA/cacert.pem"
}

// dialTLS always checks the server's certificate against the CA.
func dialTLS(ctx context.Context, a address) (net.Conn, error) {
	cert, key, ca := certificates(a.pki)
	own, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("client certificate for libvirt over TLS: %w", err)
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("CA certificate for libvirt over TLS: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", ca)
	}
	d := tls.Dialer{Config: &tls.Config{Certificates: []tls.Certificate{own}, RootCAs: roots, MinVersion: tls.VersionTLS12}}
	c, err := d.DialContext(ctx, "tcp", a.host)
	if err != nil {
		return nil, err
	}
	if err := welcomed(ctx, c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// welcomed reads the one byte by which libvirtd says whether it accepts our certificate.
func welcomed(ctx context.Context, c net.Conn) error {
	if until, ok := ctx.Deadline(); ok {
		if err := c.SetReadDeadline(until); err != nil {
			return err
		}
	}
	b := make([]byte, 1)
	if _, err := c.Read(b); err != nil {
		return err
	}
	if b[0] != 1 {
		return errors.New("libvirtd does not accept our certificate")
	}
	return c.SetReadDeadline(time.Time{})
}
