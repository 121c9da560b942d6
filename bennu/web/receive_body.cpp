#include "bennu/web/receive_body.hpp"

#include <algorithm>

#include "bennu/base/ascii.hpp"
#include "bennu/net/http1_refusal.hpp"
#include "bennu/net/multipart.hpp"
#include "bennu/runtime/answer.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/web/form_parts.hpp"

namespace bennu {

/// Makes uploads that own a file.
class UploadAccess {
  public:
    static void own(Upload& upload, std::shared_ptr<detail::UploadFile> file) {
        upload.size = file->size();
        upload.path = file->path();
        upload.file_ = std::move(file);
    }
};

namespace detail {

namespace {

/// What is handed to the disk at once.
constexpr std::size_t write_size = 128 * 1024;

std::string_view media_type(std::string_view content_type) {
    return trim(content_type.substr(0, content_type.find(';')));
}

bool is_multipart(std::string_view content_type) {
    return iequals(media_type(content_type), "multipart/form-data");
}

Error too_large(std::string_view field, std::uint64_t limit) {
    return Error::field(std::string(field), "too_large",
                        "may have at most " + std::to_string(limit) + " bytes");
}

/// One file on its way to the disk.
class FileWriter {
  public:
    FileWriter(UploadTarget target, std::string name, std::string filename, std::string type)
        : target_(std::move(target)) {
        upload_.name = std::move(name);
        upload_.filename = std::move(filename);
        upload_.content_type = std::move(type);
    }

    bool empty() const { return received_ == 0; }

    Task<Result<>> write(std::string_view bytes) {
        received_ += bytes.size();
        if (received_ > target_.options->file_bytes)
            co_return too_large(upload_.name, target_.options->file_bytes);
        buffer_.append(bytes);
        if (buffer_.size() < write_size) co_return Result<>();
        co_return co_await flush();
    }

    Task<Result<Upload>> finish() {
        co_await require(flush());
        co_await require(co_await offload([file = file_] { return file->close(); }));
        UploadAccess::own(upload_, std::move(file_));
        co_return std::move(upload_);
    }

  private:
    /// Jobs own what they work with: whoever waits for them may be gone before they are.
    Task<Result<>> flush() {
        if (!file_) {
            auto made =
                co_await offload([folder = target_.folder] { return UploadFile::create(folder); });
            if (!made) co_return std::move(made).error();
            file_ = *std::move(made);
        }
        if (buffer_.empty()) co_return Result<>();
        co_return co_await offload(
            [file = file_, bytes = std::exchange(buffer_, {})] { return file->append(bytes); });
    }

    UploadTarget target_;
    Upload upload_;
    std::shared_ptr<UploadFile> file_;
    std::string buffer_;
    std::uint64_t received_ = 0;
};

/// The parts of a form as they come.
class FormReader {
  public:
    explicit FormReader(UploadTarget target) : target_(std::move(target)) {
        body_.params = Json::object();
        body_.from_text = true;
    }

    Result<> begin(const net::PartHead& head) {
        head_ = &head;
        value_.clear();
        writer_.reset();
        if (head.filename) {
            writer_.emplace(target_, head.name, *head.filename, head.content_type);
        } else if (++field_count_ > target_.options->fields) {
            return multipart_error("too_many_fields", "the form has too many fields");
        }
        return {};
    }

    Task<Result<>> take(std::string_view bytes) {
        if (writer_) co_return co_await writer_->write(bytes);
        if (bytes.size() > target_.options->field_bytes - value_.size())
            co_return too_large(head_->name, target_.options->field_bytes);
        value_.append(bytes);
        co_return Result<>();
    }

    Task<Result<>> end() {
        if (!writer_) {
            fields_.add(head_->name, value_);
        } else if (!writer_->empty() || !head_->filename->empty()) {
            body_.files.push_back(co_await require(writer_->finish()));
        }
        writer_.reset();
        co_return Result<>();
    }

    Result<ConnState::Body> finish() {
        Result<Json> fields = fields_.read();
        if (!fields) return std::move(fields).error();
        body_.params = *std::move(fields);
        return std::move(body_);
    }

  private:
    UploadTarget target_;
    ConnState::Body body_;
    FormFields fields_;
    std::size_t field_count_ = 0;
    const net::PartHead* head_ = nullptr;
    std::string value_;
    std::optional<FileWriter> writer_;
};

Task<Result<ConnState::Body>> receive_form(net::BodyReader body, std::string content_type,
                                           UploadTarget target) {
    auto boundary = net::multipart_boundary(content_type);
    if (!boundary) co_return std::move(boundary).error();
    net::MultipartParser parser(
        *boundary, {.parts = target.options->parts, .header_bytes = target.options->header_bytes});
    net::PartHead head;
    FormReader form(std::move(target));
    std::string input;
    bool done = false;
    while (std::optional<std::string> piece = co_await require(body.next())) {
        input += *piece;
        std::size_t used = 0;
        for (bool more = !done; more;) {
            net::MultipartEvent event = parser.next(std::string_view(input).substr(used), head);
            used += event.consumed;
            using Kind = net::MultipartEvent::Kind;
            switch (event.kind) {
                case Kind::part:
                    if (Result<> begun = form.begin(head); !begun)
                        co_return std::move(begun).error();
                    break;
                case Kind::data:
                    co_await require(form.take(event.data));
                    break;
                case Kind::part_end:
                    co_await require(form.end());
                    break;
                case Kind::error:
                    co_return multipart_error(event.code, event.message);
                case Kind::done:
                    done = true;
                    more = false;
                    break;
                case Kind::need_more:
                    more = false;
                    break;
            }
        }
        // What comes after the end is read and dropped.
        input.erase(0, done ? input.size() : used);
        co_await yield_now();
    }
    if (!done) co_return truncated_multipart();
    co_return form.finish();
}

/// A body that is one file.
Task<Result<ConnState::Body>> receive_file(net::BodyReader body, std::string content_type,
                                           UploadTarget target) {
    FileWriter writer(std::move(target), "body", {}, std::move(content_type));
    while (std::optional<std::string> piece = co_await require(body.next())) {
        co_await require(writer.write(*piece));
        co_await yield_now();
    }
    ConnState::Body read;
    read.params = Json::object();
    read.files.push_back(co_await require(writer.finish()));
    co_return read;
}

/// What is said of a field here is that it is too large, and who sends too slowly has not waited
/// for us.
[[noreturn]] void refuse(Error error) {
    int status = 0;
    if (!error.fields().empty()) status = 413;
    if (error.kind() == ErrorKind::timeout) status = 408;
    if (error.code() == net::refusals::headers_too_large.code) status = 431;  // its trailers
    throw RequestError(std::move(error), status);
}

}  // namespace

bool goes_to_disk(const UploadOptions& options, std::string_view content_type) {
    return is_multipart(content_type) ||
           std::ranges::any_of(options.body_types, [&](const std::string& type) {
               return iequals(media_type(content_type), type);
           });
}

Task<Result<ConnState::Body>> receive_files(net::BodyReader body, std::string content_type,
                                            UploadTarget target) {
    const bool form = is_multipart(content_type);
    co_return co_await (form ? receive_form(std::move(body), std::move(content_type), target)
                             : receive_file(std::move(body), std::move(content_type), target));
}

Task<> receive_body(Conn conn, ReceiveOptions options) {
    ConnState& state = conn.state();
    state.body_waits = false;
    const Route* route = conn.route();
    if (!route || !route->options.uploads ||
        !goes_to_disk(*route->options.uploads, conn.header("content-type"))) {
        std::uint64_t limit = options.max_body;
        if (route) limit = route->options.body_limit.value_or(limit);
        if (conn.head().content_length.value_or(0) > limit)
            refuse(Error(ErrorKind::too_large, "body_too_large", "the body is too large"));
        Result<std::string> text = co_await state.request.stream.rest(limit);
        if (!text) refuse(std::move(text).error());
        state.request.body = *std::move(text);
        if (const net::Headers& trailers = state.request.stream.trailers(); !trailers.empty())
            state.request.trailers = std::make_unique<const net::Headers>(trailers);
        state.body.reset();
        co_return;
    }
    if (Result<> plain = check_content_encoding(conn.header("content-encoding")); !plain)
        refuse(std::move(plain).error());
    Result<ConnState::Body> read =
        co_await receive_files(state.request.stream, std::string(conn.header("content-type")),
                               {&*route->options.uploads, std::move(options.folder)});
    if (!read) refuse(std::move(read).error());
    state.body = *std::move(read);
}

}  // namespace detail
}  // namespace bennu
