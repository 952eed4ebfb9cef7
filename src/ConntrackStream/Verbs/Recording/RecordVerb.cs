using System.CommandLine;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.Filtering;

namespace ConntrackStream.Service.Verbs.Recording;

/// <summary><c>record</c>: the kernel's events as they come from the socket, in a capture that tshark and <c>replay</c> read.</summary>
internal static class RecordVerb
{
    internal const string StandardOutput = "-";

    private static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions filter = new(FilterScope.Life);
        Argument<string> file = new("FILE") { Description = "The capture (pcap), which must not exist yet; - for standard output" };
        Option<long> most = ValueOption.Of<long>(
            ["--max-bytes"], "End before the capture would be longer [1GB]", "SIZE", 1_000_000_000, TryParseSize,
            "a size from 64 KiB up (1GB, 512MiB)");
        Option<TimeSpan> time = ValueOption.Of<TimeSpan>(
            ["--for"], "End after so long [at Ctrl-C]", "DURATION", Longest, TryParseTime, "a duration of up to 7d (10s, 5m)");
        Option<bool> anonymize = new("--anonymize")
        {
            Description = "Replace each address by another, the same one always by the same; the key is not kept. Ports stay",
        };
        Verb verb = new("record", "Writes the kernel's events to a capture that tshark, Wireshark and replay read", """
              conntrack-stream record storm.pcap --for 60s
              conntrack-stream record - -p tcp | tshark -r -
              conntrack-stream record for-the-vendor.pcap --anonymize --max-bytes 100MB
              conntrack-stream replay storm.pcap
            Events that the kernel could not deliver are in the capture as netlink's overrun message, with their number.
            """);
        verb.Arguments.Add(file);
        verb.Add([most, time, anonymize, .. filter.All, shared.Namespace]);
        verb.SetAction(async (parsed, cancellation) =>
        {
            using NetworkNamespace networkNamespace = shared.OpenNamespace(parsed);
            TapOptions options = new()
            {
                Namespace = networkNamespace,
                Updates = true,
                Filter = filter.Read(parsed),
                BatchDelay = TimeSpan.Zero,
            };
            Recorder recorder = new(options, parsed.GetValue(anonymize), context);
            return await recorder.RunAsync(parsed.GetValue(file)!, parsed.GetValue(most), parsed.GetValue(time), cancellation)
                .ConfigureAwait(false);
        });
        return verb;
    }

    private static bool TryParseSize(string text, out long bytes) => SizeText.TryParse(text, out bytes) && bytes >= 64 << 10;

    private static bool TryParseTime(string text, out TimeSpan time) =>
        DurationText.TryParse(text, out time) && time > TimeSpan.Zero && time <= Longest;
}
