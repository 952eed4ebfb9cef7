using System.CommandLine;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.Archive;
using ConntrackStream.Sinks.Archive.Verify;

namespace ConntrackStream.Service.Verbs.VerifyLog;

/// <summary><c>verify-log</c>: whether the records of flow logs agree with each other, and every loss is a gap.</summary>
internal static class VerifyLogVerb
{
    internal static Verb Create(CliContext context)
    {
        Argument<string[]> files = new("FILE|DIRECTORY")
        {
            Description = "Flow logs (json or ecs), also gzip and zstd; the rotated files of one log are read as one, the oldest first",
            Arity = ArgumentArity.OneOrMore,
        };
        FormatOption output = new();
        Verb verb = new("verify-log", "Checks that flow logs are whole: one start and one end for each flow, and every loss in a gap", """
              conntrack-stream verify-log /var/log/flows
              conntrack-stream verify-log flows.ndjson.20261121T120000000Z.gz flows.ndjson
              conntrack-stream verify-log -o json /var/log/flows | jq 'select(.type == "violation")'
            Exit codes: 0 the logs hold, 1 they do not, or a file cannot be read whole.
            """);
        verb.Arguments.Add(files);
        verb.Add([output.Option]);
        verb.SetAction((parsed, cancellation) =>
            Task.FromResult(Run(parsed.GetValue(files)!, output.IsJson(parsed), context, cancellation)));
        return verb;
    }

    private static int Run(string[] files, bool asJson, CliContext context, CancellationToken outer)
    {
        using Interruption interruption = new(outer);
        using ArchiveSet archive = ArchiveSet.Open(files);
        long violations = 0;
        IReadOnlyList<VerifyReport> reports;
        VerifyOutput report = new(context, asJson);
        try
        {
            using ProgressBar bar = new(context, archive.Members.Sum(static member => member.File.Length));
            VerifyRun run = new(
                violation =>
                {
                    violations++;
                    report.Write(violation, violations);
                },
                bar.Add);
            reports = run.Run(archive, Environment.ProcessorCount, interruption.Token);
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            context.Fail("interrupted: not all was checked"); // 0 would mean that the logs hold
            return ExitCode.Failed;
        }
        catch (Exception e) when (e is BrokenPipeException or AggregateException { InnerExceptions: [BrokenPipeException, ..] })
        {
            return ExitCode.Failed; // it was a violation that had no reader
        }

        CliContext.WriteForWhoReads(() =>
        {
            foreach (VerifyReport log in reports)
                report.Write(log);
        });
        if (reports.Count > 0 && violations == 0)
            return ExitCode.Done;
        if (reports.Count == 0)
            context.Fail("no flow log was found");
        return ExitCode.Failed;
    }
}
