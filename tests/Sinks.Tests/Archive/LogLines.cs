using System.Globalization;
using System.IO.Compression;
using System.Text;
using ConntrackStream.Sinks.Text;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ConntrackStream.Sinks.Tests.Archive;

/// <summary>Records as the service writes them, of flows from 10.0.0.N through 203.0.113.50, at seconds after a moment.</summary>
internal static class LogLines
{
    /// <summary>Second 0, ns since the Unix epoch.</summary>
    internal const long Epoch = 1_790_000_000L * 1_000_000_000;

    internal static long At(double second) => Epoch + (long)(second * 1e9);

    internal static string Id(int flow) => string.Create(CultureInfo.InvariantCulture, $"019f0000-0000-8000-8000-{flow:x12}");

    internal static string Start(int flow, double at, string origin = "event") => Start(flow, at, at, origin);

    /// <param name="time">Of the record, which a dump sets to the flow's begin.</param>
    internal static string Start(int flow, double time, double start, string origin) =>
        Record("start", flow, time, $",\"start\":\"{Time(start)}\"", origin);

    internal static string Update(int flow, double at, double start, ulong bytes) =>
        Record("update", flow, at, $",\"start\":\"{Time(start)}\"{Counters(bytes)}", "audit");

    internal static string End(int flow, double start, double end, ulong bytes = 1000, string origin = "event") =>
        Record("end", flow, end, $",\"start\":\"{Time(start)}\",\"end\":\"{Time(end)}\"{Counters(bytes)}", origin);

    internal static string Gap(string reason, double from, double to, string lost = "null") =>
        $"{{\"v\":1,\"time\":\"{Time(to)}\",\"host\":\"gw1\",\"event\":\"gap\",\"reason\":\"{reason}\",\"lost\":{lost},"
            + $"\"from\":\"{Time(from)}\",\"to\":\"{Time(to)}\"}}";

    /// <summary>What <c>collect</c> writes.</summary>
    internal static string Numbered(string line, ulong sequence, ulong? last = null, string run = "019f000000000001") =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{line[..^1]},\"run\":\"{run}\",\"seq\":{sequence}{(last is { } to ? $",\"seq_to\":{to}" : "")}}}");

    internal static byte[] Bytes(params IEnumerable<string> lines) =>
        Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n")));

    internal static byte[] Gzip(byte[] content)
    {
        MemoryStream output = new();
        using (GZipStream gzip = new(output, CompressionLevel.Fastest))
            gzip.Write(content);
        return output.ToArray();
    }

    internal static byte[] Zstandard(byte[] content)
    {
        MemoryStream output = new();
        using (CompressionStream zstandard = new(output))
        {
            zstandard.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1); // as zstd(1) does
            zstandard.Write(content);
        }

        return output.ToArray();
    }

    internal static string Time(double second) => TimestampText.Format(At(second));

    private static string Counters(ulong bytes) => string.Create(
        CultureInfo.InvariantCulture, $",\"tx_packets\":5,\"tx_bytes\":{bytes},\"rx_packets\":4,\"rx_bytes\":{bytes}");

    private static string Record(string kind, int flow, double time, string rest, string origin) => string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"v\":1,\"time\":\"{Time(time)}\",\"host\":\"gw1\",\"event\":\"{kind}\",\"flow_id\":\"{Id(flow)}\",\"ct_id\":{flow},\"zone\":0,"
            + $"\"family\":\"ipv4\",\"proto\":\"tcp\",\"proto_num\":6,\"src\":\"10.0.0.{flow % 250}\",\"sport\":{40000 + (flow % 20000)},"
            + $"\"dst\":\"198.51.100.7\",\"dport\":443,\"reply_src\":\"198.51.100.7\",\"reply_sport\":443,\"reply_dst\":\"203.0.113.50\","
            + $"\"reply_dport\":{32768 + (flow % 20000)},\"nat\":\"snat\",\"direction\":\"unknown\"{rest},\"origin\":\"{origin}\"}}");
}
