using System.CommandLine;
using System.CommandLine.Parsing;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.Archive;
using ConntrackStream.Sinks.Archive.Index;
using ConntrackStream.Sinks.Archive.Who;
using ConntrackStream.Sinks.Filtering;

namespace ConntrackStream.Service.Verbs.Who;

/// <summary><c>who</c>: the flows that had an address at a moment, and whether the logs can prove that there were no others.</summary>
internal static class WhoVerb
{
    /// <summary>From the Unix epoch: a long holds it with all that is added in a search.</summary>
    private const long MostNanoseconds = long.MaxValue - (2 * RecordOrder.Slack);

    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        Argument<EndpointText> address = AddressArgument();
        Argument<string[]> files = new("FILE|DIRECTORY")
        {
            Description = "Flow logs, also gzip and zstd; of directories, all in them [FlowLog:Path, with its rotated files]",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<long?> at = AtOption(context.Time);
        Option<TimeSpan> within = Duration("--within", "How far off the clock of the question may be, in both directions");
        within.DefaultValueFactory = static _ => TimeSpan.FromSeconds(30);
        Option<TimeSpan> reach = Duration(
            "--reach", "Read only records so long before and after: quicker, but what lasted longer is missed [all records]");
        Option<bool> live = new("--live") { Description = "Ask the running service's live view: flows that are alive now" };
        Option<string?> evidence = new("--evidence")
        {
            Description = "Also write the answer with the records themselves and the SHA-256 of each file to a new file",
            HelpName = "FILE",
        };
        Option<bool> noIndex = new("--no-index")
        {
            Description = "Read the files themselves; neither use nor make the indexes beside rotated files",
        };
        FilterOptions filter = new(FilterScope.Life);
        FormatOption output = new();
        Verb verb = new("who", "Finds the flows that had an address at a moment, before or after NAT, and whether the logs are complete", """
              conntrack-stream who 203.0.113.50:32768 --at 2026-11-21T14:32:15Z -p tcp /var/log/flows
              conntrack-stream who 203.0.113.50:32768 --at '2026-11-21 15:32:15' --within 2m gw1.ndjson*     local time
              conntrack-stream who '[2001:db8::1]:443' --at @1795271535 -o json /var/log/flows | jq .client
              conntrack-stream who 10.0.0.5 --live
            The verdict after the flows is "complete" when the logs cover the whole window and no gap lies in it; else it says what is missing.
            Exit codes: 0 found, 5 none and complete, 6 none and not complete.
            """)
        {
            UsesConfiguration = parsed => (parsed.GetValue(files) ?? []).Length == 0
                && (!parsed.GetValue(live) || parsed.GetValue(shared.Socket) is null),
        };
        verb.Arguments.Add(address);
        verb.Arguments.Add(files);
        verb.Add([at, within, reach, evidence, noIndex, live, shared.Socket, .. filter.All, output.Option]);
        verb.Validators.Add(result => Check(result, at, [at, within, reach, evidence, noIndex], live, files, shared));
        verb.SetAction((parsed, cancellation) =>
        {
            bool isLive = parsed.GetValue(live);
            long moment = isLive ? context.Time.UnixNanoseconds() : parsed.GetValue(at)!.Value;
            long margin = isLive ? 0 : Nanoseconds(parsed.GetValue(within));
            long? before = parsed.GetResult(reach) is null ? null : Nanoseconds(parsed.GetValue(reach));
            if (Int128.Abs(moment) + margin + (before ?? 0) > MostNanoseconds)
            {
                context.Fail("--at: the time is too far away for this --within or --reach; what is searched must lie in the years "
                    + "1678 to 2261");
                return Task.FromResult(ExitCode.Usage);
            }

            EndpointText endpoint = parsed.GetValue(address);
            WhoQuestion question = new(
                endpoint.Family, endpoint.Address, endpoint.Port, moment - margin, moment + margin, before, filter.Read(parsed))
            {
                FilterText = filter.ToText(parsed),
            };
            return RunAsync(
                question, isLive ? shared.SocketPath(parsed, context) : null, filter.ToQuery(parsed),
                () => Open(
                    parsed.GetValue(files) ?? [], () => OptionsLoader.Load(shared.Sources(parsed, context)).FlowLog.Path,
                    parsed.GetValue(noIndex) ? null : ArchiveIndex.TryOpen),
                parsed.GetValue(evidence), output.IsJson(parsed), !parsed.GetValue(noIndex), context, cancellation);
        });
        return verb;
    }

    private static void Check(
        CommandResult result, Option at, Option[] ofLogs, Option<bool> live, Argument<string[]> files, SharedOptions shared)
    {
        bool isLive = result.GetValue(live);
        if (isLive)
        {
            foreach (Option option in ofLogs.Where(option => result.GetResult(option) is { Implicit: false }))
                result.AddError($"{option.Name}: not with --live, which shows the flows that are alive now and reads no log");
            if (result.GetValue(files) is { Length: > 0 })
                result.AddError("--live: asks the running service, so name no files");
        }
        else if (result.GetResult(at) is null or { Implicit: true })
        {
            result.AddError("--at: when? Write --at 2026-11-21T14:32:15Z, or --live for now");
        }

        if (result.GetValue(shared.Socket) is not null && !isLive)
            result.AddError("--socket: only --live asks the running service");
    }

    private static async Task<int> RunAsync(
        WhoQuestion question, string? socket, string filterQuery, Func<ArchiveSet> open, string? evidence, bool asJson, bool withIndexes,
        CliContext context, CancellationToken outer)
    {
        using Interruption interruption = new(outer);
        using ArchiveSet? archive = socket is null ? open() : null;
        WhoAnswer answer;
        try
        {
            answer = archive is null
                ? await LiveWho.AskAsync(question, socket!, filterQuery, interruption.Token).ConfigureAwait(false)
                : Search(question, archive, evidence, context, interruption.Token);
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            context.Fail("interrupted: there is no answer"); // 0 would mean that a flow was found
            return ExitCode.Failed;
        }

        CliContext.WriteForWhoReads(() =>
        {
            if (asJson)
                WhoJson.Write(answer, question, context);
            else
                WhoText.Write(answer, question, context);
        });
        if (archive is not null && withIndexes && question.Reach is null)
            MakeIndexes(archive, context, interruption.Token);
        return answer.Flows.Count > 0 ? ExitCode.Done : answer.IsComplete ? ExitCode.NoneAndComplete : ExitCode.NoneAndIncomplete;
    }

    private static WhoAnswer Search(
        WhoQuestion question, ArchiveSet archive, string? evidence, CliContext context, CancellationToken cancellation)
    {
        using WhoEvidence? file = evidence is null ? null : WhoEvidence.Create(evidence);
        List<WhoUnit> units = WhoUnit.Of(archive, question);
        WhoAnswer answer;
        using (ProgressBar bar = new(context, units.Sum(static unit => unit.Length)))
            answer = new WhoSearch(question, Environment.ProcessorCount, bar.Add).Run(archive, units, cancellation);
        if (file is not null)
            context.Tell($"{evidence}: SHA-256 {file.Write(answer, question, units, context, cancellation)}");
        return answer;
    }

    /// <summary>For the next question; the answer is out, and an interruption changes nothing about it.</summary>
    private static void MakeIndexes(ArchiveSet archive, CliContext context, CancellationToken cancellation)
    {
        List<ArchiveFile> files = new IndexMaker().Missing(archive);
        if (files.Count == 0)
            return;
        context.Output.Flush();
        try
        {
            int made;
            using (ProgressBar bar = new(context, files.Sum(static file => file.Length)))
                made = IndexMaker.Make(files, Environment.ProcessorCount, bar.Add, cancellation);
            if (made > 0)
                context.Tell($"made {made} indexes beside rotated files; the next question is quicker (--no-index makes none)");
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            context.Tell("interrupted while indexes were made for the next question; the answer stands");
        }
    }

    private static ArchiveSet Open(string[] files, Func<string> logOfConfiguration, Func<ArchiveFile, IFileIndex?>? indexOf)
    {
        if (files.Length > 0)
            return ArchiveSet.Open(files, indexOf);
        string path = logOfConfiguration();
        return path == "-"
            ? throw new InvalidDataException("FlowLog:Path is standard output; name the files to read")
            : ArchiveSet.OpenLog(path, indexOf);
    }

    private static long Nanoseconds(TimeSpan duration) => duration.Ticks * TimeSpan.NanosecondsPerTick;

    private static Argument<EndpointText> AddressArgument() => new("ADDRESS[:PORT]")
    {
        Description = "Any end of the flow: client, peer, or what NAT made of them",
        CustomParser = static result =>
        {
            if (!EndpointText.TryParse(result.Tokens[0].Value, out EndpointText endpoint, out string? error))
                result.AddError(error);
            return endpoint;
        },
    };

    private static Option<long?> AtOption(TimeProvider time) => new("--at")
    {
        Description = "The moment: RFC 3339, or without a zone for local time; 14:32:15 for today; @SECONDS; now",
        HelpName = "TIME",
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = result =>
        {
            if (MomentText.TryParse(result.Tokens[0].Value, time, out long moment, out string? error))
                return moment;
            result.AddError($"--at: {error}");
            return null;
        },
    };

    private static Option<TimeSpan> Duration(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "DURATION",
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = result =>
        {
            if (!DurationText.TryParse(result.Tokens[0].Value, out TimeSpan duration) || duration > TimeSpan.FromDays(36_500))
                result.AddError($"{name}: '{result.Tokens[0].Value}' is not a duration, such as 30s, 5m, 1h or 7d");
            return duration;
        },
    };
}
