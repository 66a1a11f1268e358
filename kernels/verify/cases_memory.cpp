#include <array>

#include "kernels/verify/sample_call.h"

namespace meander::kernels::verify {
namespace {

// Columns, a transposed view and rows with gaps, each to a dense tensor and back into a strided one.
double stridedCopyError(Backend& backend, DType type) {
    Fixture t(backend);
    const Shape shape{3, 5, 7, 11};
    const View x = t.put(random(shape, type, 1), type), y = t.put(random(shape, type, 2), type);
    const auto parts = {std::array{x.columns(2, 6), y.columns(5, 6)}, std::array{x.slice(1, 1, 3), y.slice(1, 2, 3)},
                        std::array{x.transposed(1, 3), y.transposed(1, 3)},
                        std::array{x.slice(2, 0, 5).transposed(0, 1), y.slice(2, 2, 5).transposed(0, 1)}};
    double wrong = 0;
    for (const auto& [from, to] : parts) {
        const View dense = t.room(from.shape, type);
        backend.copy(from, dense);
        backend.copy(dense, to);
        wrong += differing(t.get(dense), t.get(from)) + differing(t.get(to), t.get(from));
    }
    return wrong;
}

double roundTripError(Backend& backend, Shape shape, DType type) {
    Fixture t(backend);
    const Host x = random(shape, type, 1, 100);
    const std::vector<char> sent = bytesOf(x, type);
    std::vector<char> received(sent.size(), 0);
    const View v = t.room(shape, type);
    backend.upload(sent.data(), v);
    backend.download(v, received.data());
    double wrong = 0;
    for (std::size_t i = 0; i < sent.size(); ++i) wrong += sent[i] != received[i];
    return wrong;
}

}  // namespace

void addUploadCases(Cases& cases) {
    for (DType type : {DType::F32, DType::F64, DType::F16, DType::BF16, DType::I32})
        cases.push_back({std::string("upload/") + kernels::nameOf(type) + " and back", DType::F32, 0, [=](Backend& b) {
                             return roundTripError(b, {3, 1001}, type);
                         }});
}

SampleCall sampleUpload(DType type) {
    return sample({output("to", {3, 11}, type)}, [](Backend& b, std::span<const View> v) {
        const std::vector<char> bytes(v[0].bytes(), 1);
        b.upload(bytes.data(), v[0]);
    });
}

// Rows in the middle: what lies before and behind is not read.
void addDownloadCases(Cases& cases) {
    cases.push_back({"download/f32 rows", DType::F32, 0, [](Backend& backend) {
                         Fixture t(backend);
                         const Host x = random({5, 7}, DType::F32, 1);
                         const View v = t.put(x, DType::F32);
                         std::vector<float> rows(14);
                         backend.download(v.rows(2, 2), rows.data());
                         double wrong = 0;
                         for (std::int64_t i = 0; i < 14; ++i) wrong += rows[std::size_t(i)] != float(x[14 + i]);
                         return wrong;
                     }});
}

SampleCall sampleDownload(DType type) {
    return sample({input("from", {3, 11}, type)}, [](Backend& b, std::span<const View> v) {
        std::vector<char> bytes(v[0].bytes());
        b.download(v[0], bytes.data());
    });
}

void addCopyCases(Cases& cases) {
    for (DType type : activationTypes)
        cases.push_back({std::string("copy/") + kernels::nameOf(type) + " strided", type, 0,
                         [=](Backend& b) { return stridedCopyError(b, type); }});
}

SampleCall sampleCopy(DType type) {
    return sample({input("from", {3, 4, 11}, type), output("to", {3, 4, 11}, type)},
                  [](Backend& b, std::span<const View> v) { b.copy(v[0], v[1]); });
}

}  // namespace meander::kernels::verify
