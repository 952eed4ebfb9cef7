using System.CommandLine;
using System.Globalization;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.MapCleaning.NpaLog;

namespace ConntrackStream.Service.Verbs;

/// <summary>
/// <c>npa-log</c>: the cleanup cycles in the log of the AWS Network Policy Agent, and which of its deletes hit living flows.
/// </summary>
internal static class NpaLogVerb
{
    internal static Verb Create(CliContext context)
    {
        Argument<string> file = new("FILE") { Description = "The agent's log, also gzip and zstd; - for standard input" };
        Option<string[]> flowLog = new("--flow-log")
        {
            Description = "This service's flow log of the same time (NDJSON, also gzip and zstd), which shows the deletes that hit living "
                + "flows; of a directory, all in it; may be repeated, for rotated files",
            HelpName = "FILE|DIRECTORY",
            Arity = ArgumentArity.OneOrMore,
        };
        flowLog.Validators.Add(static result =>
        {
            if (result.Tokens.Any(static token => token.Value == LogFiles.StandardInput))
                result.AddError("--flow-log: standard input is for the agent's log; name a file");
        });
        Option<int> period = ValueOption.Of(
            ["--conntrack-cache-cleanup-period"],
            "What the agent is started with, in seconds; counts only where the log does not show the interval", "SECONDS",
            CycleSchedule.DefaultPeriodSeconds, ValueOption.Number(1), "a number of seconds from 1");
        FormatOption output = new("text (default) or json: one object a line, of type cycle, delete_hit or summary");
        Option<bool> follow = new("--follow")
        {
            Description = "Go on reading as the log grows, until Ctrl-C: each cycle when it is over and, on a terminal, the time to the "
                + "next",
        };
        Verb verb = new("npa-log", "Finds the conntrack cleanup cycles in the AWS Network Policy Agent's log, and its deletes of living flows", """
              conntrack-stream npa-log /var/log/aws-routed-eni/network-policy-agent.log
              conntrack-stream npa-log --follow /var/log/aws-routed-eni/network-policy-agent.log
              kubectl logs -n kube-system -c aws-eks-nodeagent aws-node-x7k2p --timestamps | conntrack-stream npa-log -
              conntrack-stream npa-log agent.log --flow-log flows.ndjson --flow-log flows.ndjson.20261121T120000000Z.gz
              conntrack-stream npa-log agent.log --flow-log flows.ndjson -o json | jq 'select(.type == "delete_hit")'
            """);
        verb.Arguments.Add(file);
        verb.Add([follow, flowLog, period, output.Option]);
        verb.Validators.Add(result =>
        {
            if (result.GetValue(follow) && result.GetValue(flowLog) is { Length: > 0 })
                result.AddError("--follow: the flow log judges deletes once the agent's log is at its end; leave --flow-log out");
        });
        verb.SetAction((parsed, cancellation) =>
        {
            (string name, TimeSpan time, bool asJson) =
                (parsed.GetValue(file)!, TimeSpan.FromSeconds(parsed.GetValue(period)), output.IsJson(parsed));
            return parsed.GetValue(follow)
                ? new NpaFollow(context, name, time, asJson).RunAsync(cancellation)
                : RunAsync(name, parsed.GetValue(flowLog) ?? [], time, asJson, context, cancellation);
        });
        return verb;
    }

    private static async Task<int> RunAsync(
        string file, string[] flowLogs, TimeSpan period, bool asJson, CliContext context, CancellationToken outer)
    {
        using Interruption interruption = new(outer);
        using LogFiles files = new(context.OpenInput);
        NpaLogReader log = new(keepDeletes: flowLogs.Length > 0);
        await files.ReadAsync(file, stream => log.ReadAsync(stream, interruption.Token)).ConfigureAwait(false);
        string source = file == LogFiles.StandardInput ? "standard input" : file;
        if (log.CleanupLines == 0)
        {
            context.FailLines(source, NpaFindings.WhyNothing(log));
            return ExitCode.Failed;
        }

        long? records = flowLogs.Length == 0
            ? null
            : await JudgeAsync(log.Deletes, files, flowLogs, context, interruption.Token).ConfigureAwait(false);
        NpaFindings findings = new(source, log, CycleSchedule.Of(log.Cycles, period), period, records);
        if (asJson)
        {
            NpaJsonReport.Write(context.Output, findings);
            return ExitCode.Done;
        }

        StreamWriter output = new(context.Output, leaveOpen: true) { NewLine = "\n" };
        await using (output.ConfigureAwait(false))
            NpaTextReport.Write(output, findings);
        return ExitCode.Done;
    }

    /// <returns>Records read.</returns>
    private static async Task<long> JudgeAsync(
        IReadOnlyList<NpaDelete> deletes, LogFiles files, string[] flowLogs, CliContext context, CancellationToken cancellation)
    {
        DeleteJudge judge = new(deletes);
        long records = 0;
        foreach (LogFile file in await files.InOrderAsync(flowLogs, cancellation).ConfigureAwait(false))
        {
            FlowLogReader reader = new();
            await LogFiles.ReadAsync(file, stream => reader.ReadAsync(stream, judge, cancellation)).ConfigureAwait(false);
            records += reader.Records;
            if (reader.FirstProblem is { } problem)
                context.Tell(string.Create(CultureInfo.InvariantCulture, $"{file.Path}: {reader.BadLines} lines are no flow-log records "
                    + $"(NDJSON), the first: {problem}"));
        }

        judge.Finish();
        return records;
    }
}
