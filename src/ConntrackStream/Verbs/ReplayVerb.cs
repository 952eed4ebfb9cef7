using System.CommandLine;
using System.Globalization;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>replay</c>: a recording through the same live view and flow log as the kernel's events.</summary>
internal static class ReplayVerb
{
    private const int QueuedBatches = 4096;

    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions filter = new();
        Argument<string> file = new("FILE")
        {
            Description = "Flow-log records (NDJSON or text), or what conntrack -E or -L printed; - for standard input",
        };
        Option<bool> skipBad = new("--skip-bad") { Description = "Go on after lines that cannot be read; they are counted" };
        Verb verb = new("replay", "Puts a recorded stream through the same pipeline and flow log", """
              conntrack -E -o timestamp,id > recorded; conntrack-stream replay recorded
              conntrack-stream replay flows.json --set FlowLog:Format=text -p tcp
              ssh gateway conntrack -E | conntrack-stream replay -
            """)
        {
            UsesConfiguration = static _ => true,
        };
        verb.Arguments.Add(file);
        verb.Add([skipBad, .. filter.All]);
        verb.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetValue(file)!, parsed.GetValue(skipBad), OptionsLoader.Load(shared.Sources(parsed, context)),
            filter.Read(parsed), context, cancellation));
        return verb;
    }

    private static async Task<int> RunAsync(
        string file, bool skipBad, ServiceOptions options, FlowFilter filter, CliContext context, CancellationToken outer)
    {
        using Interruption interruption = new(outer);
        await using Stream input = file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
        ReplayReader reader = new(input, new FlowBatchPool(), context.Time, new ReplayOptions { SkipBad = skipBad });
        PipelineSource source = new();
        FlowLogSink flowLog = new(
            options.FlowLog, context.Time, NullLogger<FlowLogSink>.Instance, isWanted: filter.IsEmpty
                ? null
                : (in Flow flow) => filter.Matches(flow));
        FlowPipeline pipeline = new(source, [flowLog], Options(options), context.Time, NullLogger<FlowPipeline>.Instance);
        await using (pipeline.ConfigureAwait(false))
        {
            await pipeline.StartAsync(interruption.Token).ConfigureAwait(false);
            using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(interruption.Token, flowLog.ReaderGone);
            await FeedAsync(reader, source, pipeline, context.Time, end.Token).ConfigureAwait(false);
            await pipeline.StopAsync().ConfigureAwait(false);
        }

        return Conclude(file, reader, flowLog.Counters, pipeline.Status.Sinks.Sum(static sink => sink.Dropped), skipBad, context);
    }

    private static PipelineOptions Options(ServiceOptions options) =>
        TapConfiguration.ToPipeline(options, earlierIds: null, stages: []) with { SinkQueueBatches = QueuedBatches };

    // The kernel cannot be asked to wait, so a slow sink's queue overflows; a file can: nothing of a recording is dropped.
    private static async Task WaitForSinksAsync(FlowPipeline pipeline, TimeProvider time, CancellationToken cancellation)
    {
        while (pipeline.Status.Sinks.Any(static sink => sink.WaitingBatches > QueuedBatches / 2))
            await Task.Delay(TimeSpan.FromMilliseconds(1), time, cancellation).ConfigureAwait(false);
    }

    private static async Task FeedAsync(
        ReplayReader reader, PipelineSource source, FlowPipeline pipeline, TimeProvider time, CancellationToken cancellation)
    {
        try
        {
            await foreach (ReplayItem item in reader.ReadAsync(cancellation).ConfigureAwait(false))
            {
                await WaitForSinksAsync(pipeline, time, cancellation).ConfigureAwait(false);
                if (item.Batch is { } batch)
                    await source.Writer.WriteAsync(
                        new TapMessage(TapMessageKind.Events) { Batch = batch }, cancellation).ConfigureAwait(false);
                else if (item.Gap is { } gap)
                    await pipeline.AddGapAsync(gap, cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Ctrl-C, or nobody reads the records any more: what was read so far is written out.
        }
    }

    private static int Conclude(string file, ReplayReader reader, FlowLogCounters log, long droppedBefore, bool skipBad, CliContext context)
    {
        context.Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"{reader.Events} events and {reader.Gaps} gaps in {reader.Lines} lines of {file}; {log.Records} records written, "
                + $"{log.Dropped + droppedBefore} dropped."));
        if (reader.FirstProblem is not { } problem)
            return ExitCode.Done;
        context.Fail(skipBad
            ? string.Create(CultureInfo.InvariantCulture, $"{file}: {reader.BadLines} lines could not be read, the first: {problem}")
            : $"{file}: {problem} (--skip-bad goes on)");
        return skipBad ? ExitCode.Done : ExitCode.Failed;
    }
}
