#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bennu::net {

/// `other` is an extension method, whose text is in the request's `method_text()`. Methods are
/// case-sensitive.
enum class Method : std::uint8_t {
    get,
    head,
    post,
    put,
    delete_,
    patch,
    options,
    connect,
    trace,
    other
};

/// `GET`, …; empty for `other`.
std::string_view to_string(Method method);
Method method_from(std::string_view text);

/// A piece of the text that a `Headers` holds. Unlike a view it survives copies and moves.
struct TextSlice {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
};

/// Ordered fields with case-insensitive names, in one buffer plus one table of 16-byte entries.
/// Views that it hands out are valid until the next change. Copyable; an empty one owns no memory.
class Headers {
  public:
    struct Field {
        std::string_view name;
        std::string_view value;
    };
    class Iterator;

    std::size_t size() const { return entries_.size(); }
    bool empty() const { return entries_.empty(); }
    Field operator[](std::size_t index) const;
    Iterator begin() const;
    Iterator end() const;

    /// The first value under that name, or empty.
    std::string_view get(std::string_view name) const;
    std::optional<std::string_view> find(std::string_view name) const;
    bool contains(std::string_view name) const { return find(name).has_value(); }
    std::size_t count(std::string_view name) const;
    /// Whether any value under `name`, read as a comma-separated list, holds `token`
    /// (case-insensitive).
    bool has_token(std::string_view name, std::string_view token) const;

    /// Appends a field. Throws std::invalid_argument (a fault) for a name that is not a token or a
    /// value with CR, LF, NUL or another control character: no caller can inject a header or split
    /// a response. Check text that people typed with `valid_value` first.
    void add(std::string_view name, std::string_view value);
    /// Replaces every field of that name by one.
    void set(std::string_view name, std::string_view value);
    void erase(std::string_view name);
    /// Forgets the fields, keeps the memory.
    void clear();

    static bool valid_name(std::string_view name);
    static bool valid_value(std::string_view value);

    std::string_view text(TextSlice slice) const {
        return std::string_view(text_).substr(slice.at, slice.size);
    }

  private:
    friend class Http1HeadReader;
    friend class Http2HeadBuilder;
    struct Entry {
        std::uint32_t name_at;
        std::uint32_t name_size;
        std::uint32_t value_at;
        std::uint32_t value_size;
    };

    std::string text_;
    std::vector<Entry> entries_;
};

class Headers::Iterator {
  public:
    using value_type = Field;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    Iterator(const Headers* headers, std::size_t index) : headers_(headers), index_(index) {}
    Field operator*() const { return (*headers_)[index_]; }
    Iterator& operator++() {
        ++index_;
        return *this;
    }
    Iterator operator++(int) {
        auto before = *this;
        ++index_;
        return before;
    }
    bool operator==(const Iterator&) const = default;

  private:
    const Headers* headers_ = nullptr;
    std::size_t index_ = 0;
};

inline Headers::Iterator Headers::begin() const {
    return {this, 0};
}
inline Headers::Iterator Headers::end() const {
    return {this, size()};
}

/// The head of a request that passed every check of the parser. It owns its bytes (one buffer, held
/// by `headers`), so it may be moved to the process that answers while the connection reads on.
struct RequestHead {
    Method method = Method::get;
    std::uint8_t minor_version = 1;  ///< HTTP/1.0 or HTTP/1.1; 1 for HTTP/2
    bool keep_alive = true;          ///< what the client asked for, with the version's default
    bool chunked = false;  ///< a body whose length nobody announced; excludes `content_length`
    bool expect_continue = false;   ///< wants `100 Continue` before it sends the body
    bool accepts_trailers = false;  ///< `TE: trailers`
    bool upgrade = false;           ///< `Connection: upgrade` together with an `Upgrade` field
    /// Over HTTP/2: asks for a WebSocket on this stream (RFC 8441). `method` is then GET, as of the
    /// same request over HTTP/1.1.
    bool websocket_stream = false;
    std::optional<std::uint64_t> content_length;
    Headers headers;

    bool has_body() const { return chunked || content_length.value_or(0) > 0; }

    std::string_view method_text() const { return headers.text(method_slice); }
    /// As it came: `/a?b`, `http://host/a?b` or `*`.
    std::string_view target() const { return headers.text(target_slice); }
    /// Still percent-encoded, begins with `/`; `*` for `OPTIONS *`.
    std::string_view path() const { return path_slice.size ? headers.text(path_slice) : "/"; }
    /// Still encoded, without the `?`; empty when there is none.
    std::string_view query() const { return headers.text(query_slice); }
    /// `name[:port]`, never with an empty port; the authority of an absolute target wins over the
    /// Host field (and replaces it in `headers`). Empty only for HTTP/1.0 without Host.
    std::string_view host() const { return headers.text(host_slice); }

    TextSlice method_slice, target_slice, path_slice, query_slice, host_slice;
};

}  // namespace bennu::net
