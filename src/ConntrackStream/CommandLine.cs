using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Conntrack;
using ConntrackStream.Service.Doctor;
using ConntrackStream.Service.Shell;
using ConntrackStream.Service.Verbs;
using ConntrackStream.Service.Verbs.Classify;
using ConntrackStream.Service.Verbs.Entries;
using ConntrackStream.Service.Verbs.Map;
using ConntrackStream.Service.Verbs.Recording;
using ConntrackStream.Service.Verbs.Stale;
using ConntrackStream.Service.Verbs.Top;
using ConntrackStream.Service.Verbs.VerifyLog;
using ConntrackStream.Service.Verbs.Who;

namespace ConntrackStream.Service;

/// <summary>The verbs, and what is the same for all of them: help, errors, exit codes.</summary>
internal sealed class CommandLine(CliContext context)
{
    private const string Description =
        "Turns the kernel's connection tracking events into a live, exact view of the connection table and a complete flow log.";

    private const string Examples = """
          conntrack-stream demo                                  see all of it at work, in a throw-away namespace
          conntrack-stream doctor                                what would keep it from working here
          conntrack-stream run --set FlowLog:Path=/var/log/flows.json
          conntrack-stream watch -p tcp --dport 443
          conntrack-stream who 203.0.113.50:32768 --at 14:32:15 /var/log/flows
        Each verb has a help of its own: conntrack-stream VERB --help
        Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 not permitted, 4 not supported by this kernel.
        health ends with 3 when no service is running, too.
        who also ends with 5 (no such flow, and the logs are complete) and 6 (none found, and the logs are not complete).
        """;

    internal async Task<int> RunAsync(string[] arguments, CancellationToken cancellation)
    {
        if (ConntrackCommand.TryTake(context, arguments, out string[] own))
            return await RunAsync(() => new ConntrackCommand(context).RunAsync(own, cancellation)).ConfigureAwait(false);
        SharedOptions shared = new();
        RootCommand root = Build(shared);
        ParseResult parsed = root.Parse(arguments.Length == 0 ? ["--help"] : arguments, UsageFaults.Parser);
        string[] faults = parsed.Action is TeachingHelp ? [] : [.. UsageFaults.Of(parsed, shared)];
        if (faults.Length > 0)
        {
            foreach (string message in faults)
                context.Fail(message);
            context.Error.WriteLine($"Try: conntrack-stream{PathOf(parsed.CommandResult)} --help");
            return ExitCode.Usage;
        }

        return await RunAsync(() => InvokeAsync(parsed, cancellation)).ConfigureAwait(false);
    }

    private async Task<int> InvokeAsync(ParseResult parsed, CancellationToken cancellation)
    {
        using StreamWriter output = new(context.Output, leaveOpen: true);
        InvocationConfiguration invocation = new()
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null, // signals belong to the verbs
            Output = output,
            Error = context.Error,
        };
        return await parsed.InvokeAsync(invocation, cancellation).ConfigureAwait(false);
    }

    private async Task<int> RunAsync(Func<Task<int>> run)
    {
        try
        {
            return await run().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // the last boundary: everything is reported, and has an exit code of its own
        catch (Exception e)
#pragma warning restore CA1031
        {
            return FailureReport.Tell(e, context);
        }
    }

    /// <summary>The words that lead to a command, each with a blank before it.</summary>
    private static string PathOf(SymbolResult? result) =>
        result is CommandResult { Command: not RootCommand } command ? $"{PathOf(command.Parent)} {command.Command.Name}" : "";

    /// <summary>Every verb, for the parser and for what is written from it.</summary>
    internal RootCommand Build(SharedOptions shared)
    {
        RootCommand root = new(Description);
        shared.Configuration.Recursive = true;
        shared.Set.Recursive = true;
        root.Add([shared.Configuration, shared.Set]);
        root.Subcommands.Add(RunVerb.Create(context, shared));
        root.Subcommands.Add(DemoCommand.Create(context));
        root.Subcommands.Add(WatchVerb.Create(context, shared));
        root.Subcommands.Add(ListVerb.Create(context, shared));
        root.Subcommands.Add(CountVerb.Create(context, shared));
        root.Subcommands.Add(SummaryVerb.Create(context, shared));
        root.Subcommands.Add(StatsVerb.Create(context, shared));
        root.Subcommands.Add(DeleteVerb.Create(context, shared));
        root.Subcommands.Add(ConntrackVerb.Create());
        root.Subcommands.Add(GetVerb.Create(context, shared));
        root.Subcommands.Add(UpdateVerb.Create(context, shared));
        root.Subcommands.Add(InsertVerb.Create(context, shared));
        root.Subcommands.Add(InsertVerb.CreateLoadFile(context, shared));
        root.Subcommands.Add(FlushVerb.Create(context, shared));
        root.Subcommands.Add(ExpectVerb.Create(context, shared));
        root.Subcommands.Add(StaleVerb.Create(context, shared));
        root.Subcommands.Add(DoctorVerb.Create(context, shared));
        root.Subcommands.Add(ClassifyVerb.Create(context, shared));
        root.Subcommands.Add(MapCommand.Create(context, shared));
        root.Subcommands.Add(TombstonesVerb.Create(context, shared));
        root.Subcommands.Add(RatesVerb.Create(context, shared));
        root.Subcommands.Add(HealthVerb.Create(context, shared));
        root.Subcommands.Add(TopVerb.Create(context, shared));
        root.Subcommands.Add(WhoVerb.Create(context, shared));
        root.Subcommands.Add(VerifyLogVerb.Create(context));
        root.Subcommands.Add(RecordVerb.Create(context, shared));
        root.Subcommands.Add(ReplayVerb.Create(context, shared));
        root.Subcommands.Add(CollectVerb.Create(context, shared));
        root.Subcommands.Add(NpaLogVerb.Create(context));
        root.Subcommands.Add(CompletionVerb.Create(context));
        root.Subcommands.Add(ManualVerb.Create(context, Examples));
        root.Subcommands.Add(VersionVerb.Create(context));
        foreach (HelpOption help in root.Options.OfType<HelpOption>())
            help.Action = new TeachingHelp((HelpAction)help.Action!, shared, Examples);
        return root;
    }
}
