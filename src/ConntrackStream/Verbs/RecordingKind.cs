using System.Buffers.Binary;
using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.Recording;

namespace ConntrackStream.Service.Verbs;

/// <summary>What a recording is, by its first four bytes.</summary>
internal enum RecordingKind
{
    Lines,
    Capture,
    NextGeneration, // pcapng
    Gzip,
    Zstandard,
}

internal static class RecordingKinds
{
    internal static RecordingKind Of(ReadOnlySpan<byte> begin) => CompressionMagic.Of(begin) switch
    {
        Compression.Gzip => RecordingKind.Gzip,
        Compression.Zstandard => RecordingKind.Zstandard,
        _ when PcapPackets.IsCapture(begin) => RecordingKind.Capture,
        _ => BinaryPrimitives.TryReadUInt32LittleEndian(begin, out uint magic) && magic == PcapFormat.NextGeneration
            ? RecordingKind.NextGeneration
            : RecordingKind.Lines,
    };

    /// <summary>Why it is not read as it is, and what makes it readable; null: it is read.</summary>
    /// <param name="file">Its name; - for standard input.</param>
    internal static string? Refusal(this RecordingKind kind, string file)
    {
        (string subject, string name) = file == "-" ? ("standard input", "FILE") : (file, file);
        return kind switch
        {
            RecordingKind.Gzip => $"{subject} is compressed with gzip; replay it so: zcat {name} | conntrack-stream replay -",
            RecordingKind.Zstandard => $"{subject} is compressed with zstd; replay it so: zstdcat {name} | conntrack-stream replay -",
            RecordingKind.NextGeneration =>
                $"{subject} is a pcapng file; replay reads pcap: editcap -F nsecpcap {name} OUT (of Wireshark) makes OUT for it",
            _ => null,
        };
    }
}
