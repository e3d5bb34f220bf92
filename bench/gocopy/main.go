// Gocopy is the yardstick for a cold pull: what Go spends on io.Copy from an upstream to client, file and hash.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"path"
	"path/filepath"
)

type server struct {
	upstream string
	dir      string
	publish  bool
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to serve on")
	upstream := flag.String("upstream", "", "URL of the registry that is copied from")
	dir := flag.String("dir", ".", "folder for the files")
	publish := flag.Bool("publish", false, "fsync and rename each file after its digest was compared")
	flag.Parse()
	log.Fatal(http.ListenAndServe(*listen, &server{*upstream, *dir, *publish}))
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" {
		return
	}
	source, err := http.Get(s.upstream + r.URL.Path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer source.Body.Close()
	w.Header().Set("Content-Length", source.Header.Get("Content-Length"))
	w.WriteHeader(source.StatusCode)
	if err := s.copy(w, source.Body, path.Base(r.URL.Path)); err != nil {
		log.Print(err)
		panic(http.ErrAbortHandler)
	}
}

func (s *server) copy(w io.Writer, body io.Reader, digest string) error {
	file, err := os.CreateTemp(s.dir, "part-*")
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, file, hash), body); err != nil {
		return err
	}
	if got := "sha256:" + hex.EncodeToString(hash.Sum(nil)); got != digest {
		return &os.PathError{Op: "digest " + got, Path: file.Name(), Err: os.ErrInvalid}
	}
	if !s.publish {
		return nil
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return os.Rename(file.Name(), filepath.Join(s.dir, digest))
}
