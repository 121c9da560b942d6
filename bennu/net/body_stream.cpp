#include "bennu/net/body_stream.hpp"

namespace bennu::net {

Task<Result<std::optional<std::string>>> BodyReader::next() {
    if (!source_) co_return std::optional<std::string>();
    // The source outlives this reader, should that be destroyed meanwhile.
    BodyRef<BodySource> source = source_;
    co_return co_await source->next();
}

Task<Result<std::string>> BodyReader::rest(std::uint64_t limit) {
    std::string all;
    while (std::optional<std::string> piece = co_await require(next())) {
        if (piece->size() > limit - all.size())
            co_return Error(ErrorKind::too_large, "body_too_large", "the body is too large");
        all.append(*piece);
    }
    co_return all;
}

const Headers& BodyReader::trailers() const {
    static const Headers none;
    return source_ ? source_->trailers() : none;
}

Task<Result<>> BodyWriter::write(std::string text) const {
    std::shared_ptr<BodySink> sink = sink_;
    co_return co_await sink->write(std::move(text));
}

Task<bool> BodyWriter::closing(Duration limit) const {
    std::shared_ptr<BodySink> sink = sink_;
    co_return co_await sink->closing(limit);
}

}  // namespace bennu::net
