// Command checklog reads logs, receipts and notes with the packages note and tlog of golang.org/x/mod, which share no
// code with this project.
//
//	checklog log VKEY FOLDER_OR_URL
//
// ends with status 0 if the checkpoint is signed by the key, every tile and every entry belong to its root, every entry
// has an inclusion proof, and every smaller tree is a beginning of the tree.
//
//	checklog receipt VKEY RECEIPT ENTRY
//
// ends with status 0 if the receipt in one file (C2SP tlog-proof) shows that the log holds the entry in the other.
//
//	checklog consistency VKEY OLD NEW PROOF
//
// ends with status 0 if the checkpoint in the file OLD is a beginning of the one in NEW by the proof, a file with one
// hash in base64 a line.
//
//	checklog sign NAME COUNT
//
// writes verifier keys of as many signers, one a line, an empty line, and a note that all of them signed.
//
// The status is 1 where something was refused.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height    = 8
	width     = 1 << height
	maxAnswer = 32 << 20
)

var errAbsent = errors.New("is not there")

// source gives the bytes at a path of the log.
type source func(path string) ([]byte, error)

func folder(dir string) source {
	return func(path string) ([]byte, error) {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		if errors.Is(err, os.ErrNotExist) {
			return nil, errAbsent
		}
		return data, err
	}
}

func web(base string) source {
	client := &http.Client{Timeout: 30 * time.Second}
	return func(path string) ([]byte, error) {
		answer, err := client.Get(strings.TrimSuffix(base, "/") + "/" + path)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		if answer.StatusCode == http.StatusNotFound {
			return nil, errAbsent
		}
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("status %s", answer.Status)
		}
		data, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
		if len(data) > maxAnswer {
			return nil, errors.New("is too long")
		}
		return data, err
	}
}

// path is the place of a tile in the layout of C2SP tlog-tiles. The package tlog writes the height in front and calls
// the level of entries "data".
func path(t tlog.Tile) string {
	p := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", height))
	if t.L == -1 {
		p = "entries/" + strings.TrimPrefix(p, "data/")
	}
	return "tile/" + p
}

// tiles reads tiles for tlog.TileHashReader, which checks each of them against the root.
type tiles struct {
	from source
	seen map[tlog.Tile][]byte
}

func (r *tiles) Height() int { return height }

func (r *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (r *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range wanted {
		data, ok := r.seen[t]
		if !ok {
			var err error
			if data, err = r.read(t); err != nil {
				return nil, err
			}
			r.seen[t] = data
		}
		all = append(all, data)
	}
	return all, nil
}

func (r *tiles) read(t tlog.Tile) ([]byte, error) {
	data, err := r.from(path(t))
	if err == errAbsent && t.W < width {
		full := t
		full.W = width
		if data, err = r.from(path(full)); err == nil && len(data) >= t.W*tlog.HashSize {
			data = data[:t.W*tlog.HashSize]
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path(t), err)
	}
	if len(data) != t.W*tlog.HashSize {
		return nil, fmt.Errorf("%s: has %d bytes", path(t), len(data))
	}
	return data, nil
}

// checkpoint opens the note and reads its three lines.
func checkpoint(from source, vkey string) (tlog.Tree, error) {
	var tree tlog.Tree
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	data, err := from("checkpoint")
	if err != nil {
		return tree, fmt.Errorf("checkpoint: %w", err)
	}
	return head(data, verifier)
}

// head reads the three lines of a checkpoint that the key signed. Signatures of others may stand beside its own.
func head(data []byte, verifier note.Verifier) (tlog.Tree, error) {
	var tree tlog.Tree
	signed, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tree, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		return tree, errors.New("checkpoint: is not three lines that begin with the name of the key")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil || strconv.FormatInt(tree.N, 10) != lines[1] {
		return tree, errors.New("checkpoint: the size is not a number")
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tree, errors.New("checkpoint: the root is not a hash")
	}
	copy(tree.Hash[:], root)
	return tree, nil
}

// entries reads all bundles.
func entries(from source, size int64) ([][]byte, error) {
	var all [][]byte
	for first := int64(0); first < size; first += width {
		t := tlog.Tile{H: height, L: -1, N: first / width, W: width}
		if size-first < width {
			t.W = int(size - first)
		}
		data, err := from(path(t))
		if err == errAbsent && t.W < width {
			full := t
			full.W = width
			data, err = from(path(full))
		} else if err == nil {
			if n, err := count(data); err != nil || n != t.W {
				return nil, fmt.Errorf("%s: has %d entries: %v", path(t), n, err)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path(t), err)
		}
		for i := 0; i < t.W; i++ {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s: is cut off", path(t))
			}
			n := 2 + int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:n])
			data = data[n:]
		}
	}
	return all, nil
}

// count says how many entries a bundle has.
func count(data []byte) (int, error) {
	n := 0
	for ; len(data) > 0; n++ {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return n, errors.New("it is cut off")
		}
		data = data[2+int(binary.BigEndian.Uint16(data)):]
	}
	return n, nil
}

// storage holds the hashes that the package tlog makes out of the entries alone.
type storage []tlog.Hash

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, i := range indexes {
		all = append(all, s[i])
	}
	return all, nil
}

func check(vkey string, from source) (int64, error) {
	tree, err := checkpoint(from, vkey)
	if err != nil {
		return 0, err
	}
	records, err := entries(from, tree.N)
	if err != nil {
		return 0, err
	}
	var own storage
	for i, record := range records {
		hashes, err := tlog.StoredHashes(int64(i), record, own)
		if err != nil {
			return 0, err
		}
		own = append(own, hashes...)
	}
	if tree.N == 0 {
		return 0, nil
	}

	reader := &tiles{from: from, seen: map[tlog.Tile][]byte{}}
	hashes := tlog.TileHashReader(tree, reader)
	// Every tile of the tree: as it lies there, as the reader accepts it, and as the entries give it.
	every := tlog.NewTiles(height, 0, tree.N)
	for i, t := range every {
		// The list has a growing tile at each of its widths; the checkpoint requires the last one.
		if i+1 < len(every) && every[i+1].L == t.L && every[i+1].N == t.N {
			continue
		}
		raw, err := reader.read(t)
		if err != nil {
			return 0, err
		}
		accepted, err := tlog.ReadTileData(t, hashes)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path(t), err)
		}
		expected, err := tlog.ReadTileData(t, own)
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(raw, accepted) || !bytes.Equal(raw, expected) {
			return 0, fmt.Errorf("%s: does not belong to the entries", path(t))
		}
	}
	for i, record := range records {
		proof, err := tlog.ProveRecord(tree.N, int64(i), hashes)
		if err != nil {
			return 0, fmt.Errorf("entry %d: %w", i, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(i), tlog.RecordHash(record)); err != nil {
			return 0, fmt.Errorf("entry %d: %w", i, err)
		}
	}
	for n := int64(1); n <= tree.N; n++ {
		old, err := tlog.TreeHash(n, own)
		if err != nil {
			return 0, err
		}
		proof, err := tlog.ProveTree(tree.N, n, hashes)
		if err != nil {
			return 0, fmt.Errorf("size %d: %w", n, err)
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, n, old); err != nil {
			return 0, fmt.Errorf("size %d: %w", n, err)
		}
	}
	return tree.N, nil
}

// hashes reads hashes in base64, one a line.
func hashes(lines []string) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, line := range lines {
		data, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(data) != tlog.HashSize {
			return nil, errors.New("proof: a line is not a hash")
		}
		all = append(all, *(*tlog.Hash)(data))
	}
	return all, nil
}

// receipt checks a receipt for an entry and says where it is.
func receipt(vkey string, text, entry []byte) (int64, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return 0, err
	}
	above, below, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(above, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, errors.New("receipt: is not one")
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return 0, errors.New("receipt: has no index")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return 0, errors.New("receipt: the index is not a number")
	}
	proof, err := hashes(lines[1:])
	if err != nil {
		return 0, err
	}
	tree, err := head([]byte(below), verifier)
	if err != nil {
		return 0, err
	}
	return index, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

// consistency checks that one checkpoint is a beginning of another.
func consistency(vkey string, before, after, lines []byte) error {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	smaller, err := head(before, verifier)
	if err != nil {
		return err
	}
	larger, err := head(after, verifier)
	if err != nil {
		return err
	}
	proof, err := hashes(strings.Fields(string(lines)))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, larger.N, larger.Hash, smaller.N, smaller.Hash)
}

// sign writes verifier keys and a note that all of them signed.
func sign(name string, count int) error {
	var signers []note.Signer
	for i := 0; i < count; i++ {
		skey, vkey, err := note.GenerateKey(rand.Reader, fmt.Sprintf("%s/%d", name, i))
		if err != nil {
			return err
		}
		signer, err := note.NewSigner(skey)
		if err != nil {
			return err
		}
		signers = append(signers, signer)
		fmt.Println(vkey)
	}
	signed, err := note.Sign(&note.Note{Text: name + "\nand a second line\n"}, signers...)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s", signed)
	return nil
}

// run gives what to say, or why something was refused.
func run(arguments []string) (string, error) {
	var files [][]byte
	if len(arguments) > 2 && (arguments[0] == "receipt" || arguments[0] == "consistency") {
		for _, path := range arguments[2:] {
			data, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			files = append(files, data)
		}
	}
	switch {
	case len(arguments) == 3 && arguments[0] == "log":
		place := arguments[2]
		from := folder(place)
		if strings.HasPrefix(place, "http://") || strings.HasPrefix(place, "https://") {
			from = web(place)
		}
		size, err := check(arguments[1], from)
		return fmt.Sprintf("accepted: %d entries\n", size), err
	case len(arguments) == 4 && arguments[0] == "receipt":
		index, err := receipt(arguments[1], files[0], files[1])
		return fmt.Sprintf("accepted: entry %d\n", index), err
	case len(arguments) == 5 && arguments[0] == "consistency":
		return "accepted\n", consistency(arguments[1], files[0], files[1], files[2])
	case len(arguments) == 3 && arguments[0] == "sign":
		count, err := strconv.Atoi(arguments[2])
		if err != nil {
			return "", err
		}
		return "", sign(arguments[1], count)
	}
	fmt.Fprintln(os.Stderr, "the first lines of this program say how to call it")
	os.Exit(2)
	return "", nil
}

func main() {
	said, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Print(said)
}
