using System.CommandLine;
using System.Globalization;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Recording;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>replay</c>: a recording through the same live view and flow log as the kernel's events.</summary>
internal static class ReplayVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions filter = new();
        Argument<string> file = new("FILE")
        {
            Description = "A recording of record (pcap), flow-log records (NDJSON or text), or what conntrack -E or -L printed; - for "
                + "standard input",
        };
        Option<bool> fast = new("--fast")
        {
            Description = "A pcap as fast as its records are written, as text always is [at the speed it was recorded]",
        };
        Option<bool> skipBad = new("--skip-bad") { Description = "Go on after lines or packets that cannot be read; they are counted" };
        Verb verb = new("replay", "Puts a recorded stream through the same pipeline and flow log", """
              conntrack -E -o timestamp,id > recorded; conntrack-stream replay recorded
              conntrack-stream replay flows.json --set FlowLog:Format=text -p tcp
              ssh gateway conntrack -E | conntrack-stream replay -
              conntrack-stream record storm.pcap --for 10s; conntrack-stream replay --fast storm.pcap
            """)
        {
            UsesConfiguration = static _ => true,
        };
        verb.Arguments.Add(file);
        verb.Add([fast, skipBad, .. filter.All]);
        verb.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetValue(file)!, parsed.GetValue(skipBad), parsed.GetValue(fast), OptionsLoader.Load(shared.Sources(parsed, context)),
            filter.Read(parsed), context, cancellation));
        return verb;
    }

    private static async Task<int> RunAsync(
        string file, bool skipBad, bool isFast, ServiceOptions options, FlowFilter filter, CliContext context, CancellationToken outer)
    {
        using Interruption interruption = new(outer);
        if (Directory.Exists(file))
            throw new IOException($"{file} is a directory; name a file");
        await using Stream input = file == "-" ? context.OpenInput() : File.OpenRead(file);
        using ProgressBar? progress = input.CanSeek ? new ProgressBar(context, input.Length) : null;
        (Stream whole, RecordingKind kind) = await CountedStream.OpenAsync(input, progress, interruption.Token).ConfigureAwait(false);
        if (kind.Refusal(file) is { } refusal)
            throw new IOException(refusal);
        IReplayReader reader = kind == RecordingKind.Capture
            ? new PcapReplayReader(whole, new FlowBatchPool(), context.Time, isPaced: !isFast, skipBad)
            : new ReplayReader(whole, new FlowBatchPool(), context.Time, new ReplayOptions { SkipBad = skipBad });
        FlowLogSink flowLog = new(
            options.FlowLog, context.Time, new ReportingLogger<FlowLogSink>(context), isWanted: filter.IsEmpty ? null : filter.Matches);
        CancellationToken readerGone = flowLog.ReaderGone; // the sink is disposed of with the pipeline
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(interruption.Token, readerGone);
        long dropped = await Replay.RunAsync(
            reader, flowLog, TapConfiguration.ToPipeline(options, earlierIds: null, stages: []), context.Time, end.Token)
            .ConfigureAwait(false);
        return readerGone.IsCancellationRequested
            ? ExitCode.Done // as of replay | head -1
            : Conclude(file, reader, flowLog.Counters, dropped, skipBad, context);
    }

    private static int Conclude(
        string file, IReplayReader reader, FlowLogCounters log, long droppedBefore, bool skipBad, CliContext context)
    {
        string unit = reader is PcapReplayReader ? "packets" : "lines";
        context.Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"{reader.Events} events and {reader.Gaps} gaps in {reader.Lines} {unit} of {file}; {log.Records} records written, "
                + $"{log.Dropped + droppedBefore} dropped."));
        if (log.WriteErrors > 0)
            return ExitCode.Failed; // why has been said
        if (reader.FirstProblem is not { } problem)
            return ExitCode.Done;
        context.Fail(skipBad
            ? string.Create(CultureInfo.InvariantCulture, $"{file}: {reader.BadLines} {unit} could not be read, the first: {problem}")
            : $"{file}: {problem} (--skip-bad goes on)");
        return skipBad ? ExitCode.Done : ExitCode.Failed;
    }
}
