using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Conntrack.Runs;
using ConntrackStream.Service.Conntrack.Syntax;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Conntrack;

/// <summary>
/// conntrack's own command line, whole: options, output, errors and exit codes are those of conntrack-tools 1.4.7 (docs/conntrack.md lists
/// where they differ). It is read by a parser of its own, since its options mean other things than this program's.
/// </summary>
internal sealed class ConntrackCommand(CliContext context, NetworkNamespace? networkNamespace = null)
{
    /// <summary>The command's name: what the program may be called by, and its verb.</summary>
    internal const string Name = "conntrack";

    internal const string Version = "1.4.7";

    private const string AsVerb = $"conntrack-stream {Name}";
    private const int BrokenPipe = 128 + 13; // as a shell shows a program that SIGPIPE ended

    private readonly NetworkNamespace _space = networkNamespace ?? NetworkNamespace.Current;

    /// <summary>The verb of this program that the command line came by, which speaks and helps as its others; null for conntrack.</summary>
    internal string? Verb { get; init; }

    /// <summary>Names of labels.</summary>
    internal string LabelFile { get; init; } = ConntrackLabels.DefaultPath;

    /// <summary>Whether a command line is conntrack's: the program was called by that name, or it is the first word.</summary>
    /// <param name="own">What follows the name.</param>
    internal static bool TryTake(CliContext context, string[] arguments, out string[] own)
    {
        own = IsCalled(context) ? arguments : arguments is [Name, .. var rest] ? rest : [];
        return IsCalled(context) || arguments is [Name, ..];
    }

    /// <param name="arguments">Without the command's name.</param>
    /// <returns>What the process ends with.</returns>
    internal async Task<int> RunAsync(string[] arguments, CancellationToken cancellation)
    {
        ConntrackSession session = new(IsCalled(context) ? context.CalledAs! : AsVerb, context.Error, LabelFile);
        try
        {
            if (arguments is ["-R" or "--load-file", var file, ..])
                return await LoadAsync(file, session, cancellation).ConfigureAwait(false);
            ConntrackJob job = CommandParser.Parse(arguments, session, IsInOrder);
            return Sum(job, await RunAsync(job, session, cancellation).ConfigureAwait(false));
        }
        catch (ConntrackFault fault)
        {
            return Report(fault);
        }
        catch (BrokenPipeException)
        {
            return BrokenPipe;
        }
    }

    private static bool IsCalled(CliContext context) => Path.GetFileName(context.CalledAs) == Name;

    private bool IsInOrder => context.Environment.Contains("POSIXLY_CORRECT");

    private int Report(ConntrackFault fault)
    {
        if (Verb is null)
            Say(fault.Message);
        else
            context.Fail($"{Verb}: {fault.Message}");
        if (fault.ExitCode == ConntrackFault.Parameter)
            context.Error.WriteLine(Verb is null
                ? $"Try `{Name} -h' or '{Name} --help' for more information."
                : $"Try: conntrack-stream {Verb} --help");
        return fault.ExitCode;
    }

    private void Say(string message)
    {
        if (Verb is null)
            context.Error.WriteLine($"{Name} v{Version} (conntrack-tools): {PrintableText.Escape(message)}");
        else
            context.Tell(message);
    }

    private void Print(string text) => context.Output.Write(Encoding.UTF8.GetBytes(text));

    private ConntrackClient Open() => _space.Run(static () => new ConntrackClient());

    /// <summary>All lines are read before the first one is done.</summary>
    private async Task<int> LoadAsync(string file, ConntrackSession session, CancellationToken cancellation)
    {
        List<(int Line, ConntrackJob Job)> jobs = [];
        int line = 0, done = 0;
        try
        {
            using (Stream input = OpenFile(file))
            {
                foreach ((int number, string text) in LoadFile.Lines(input))
                {
                    line = number;
                    jobs.Add((line, CommandParser.Parse(LoadFile.Words(text), session, IsInOrder)));
                }
            }

            foreach ((int number, ConntrackJob job) in jobs)
            {
                line = number;
                CheckInFile(job.Command);
            }

            foreach ((int number, ConntrackJob job) in jobs)
            {
                line = number;
                await RunAsync(job, session, cancellation).ConfigureAwait(false);
                done++;
            }

            return ExitCode.Done;
        }
        catch (ConntrackFault fault) when (Verb is not null && line > 0)
        {
            string lines = done > 0
                ? string.Create(CultureInfo.InvariantCulture, $"the commands before it ({done}) have been done")
                : "nothing has been done";
            throw new ConntrackFault(fault.ExitCode, $"{(file == "-" ? "standard input" : file)}:{line}: {fault.Message}; {lines}");
        }
    }

    private static void CheckInFile(CommandKind command)
    {
        if (command is not (CommandKind.Create or CommandKind.Add or CommandKind.Update or CommandKind.Delete or CommandKind.Flush))
            throw ConntrackFault.Usage($"Cannot use command `{NameInFile(command)}' with --load-file");
    }

    private Stream OpenFile(string file)
    {
        string path = file == "-" ? "/dev/stdin" : file;
        try
        {
            return Directory.Exists(path) ? Stream.Null // which fopen(3) opens, and fgets(3) finds no line in
                : file == "-" ? context.OpenInput()
                : File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw ConntrackFault.Usage($"Failed to open file {path} for reading");
        }
    }

    private static string NameInFile(CommandKind command) => command switch
    {
        CommandKind.List => "-L",
        CommandKind.Get => "-G",
        CommandKind.Event => "-E",
        CommandKind.Version => "-V",
        CommandKind.Help => "-h",
        CommandKind.ExpectList => "-L expect",
        CommandKind.ExpectCreate => "-C expect", // so conntrack
        CommandKind.ExpectDelete => "-D expect",
        CommandKind.ExpectGet => "-G expect",
        CommandKind.ExpectFlush => "-F expect",
        CommandKind.ExpectEvent => "-E expect",
        CommandKind.Count => "-C",
        CommandKind.ExpectCount => "-C expect",
        CommandKind.Stats => "-S",
        CommandKind.ExpectStats => "-S expect",
        _ => "unknown",
    };

    /// <returns>How many entries or events it was about; null for a command without a sum.</returns>
    private async Task<long?> RunAsync(ConntrackJob job, ConntrackSession session, CancellationToken cancellation)
    {
        try
        {
            return job.Command switch
            {
                CommandKind.Event => await new EventRun(job, session, context, _space).RunAsync(cancellation).ConfigureAwait(false),
                CommandKind.ExpectEvent => new ExpectEventRun(session, context, _space).Run(cancellation),
                CommandKind.List or CommandKind.Get or CommandKind.Delete or CommandKind.Update =>
                    new TableRun(job, session, context.Output, Open).Run(),
                CommandKind.Version => PrintLine($"{Name} v{Version} (conntrack-tools)"),
                CommandKind.Help or CommandKind.None => PrintHelp(job, session),
                _ => RunShort(job, session),
            };
        }
        catch (NetlinkException e)
        {
            throw e.Errno == Errno.EEXIST && Verb is not null
                ? new ConntrackFault(ConntrackFault.Other, "there is such a flow; to change it: conntrack-stream update")
                : Failures.Of(e, job.Command);
        }
    }

    /// <summary>The commands of one request.</summary>
    private long? RunShort(ConntrackJob job, ConntrackSession session)
    {
        using ConntrackClient client = Open();
        ExpectRun expect = new(job, session, context.Output, client, context.Time);
        switch (job.Command)
        {
            case CommandKind.Create or CommandKind.Add:
                return CreateRun.TryEntry(job, client) ? 1 : 0;
            case CommandKind.ExpectCreate:
                CreateRun.Expectation(job, client);
                return null;
            case CommandKind.ExpectDelete:
                if (!client.DeleteExpectation(job.Template.Original))
                    throw new NetlinkException("deleting an expectation", Errno.ENOENT);
                return 0;
            case CommandKind.ExpectList:
                return expect.List();
            case CommandKind.ExpectGet:
                return expect.Get();
            case CommandKind.ExpectCount:
                return PrintLine(expect.Count().ToString(CultureInfo.InvariantCulture));
            case CommandKind.Flush:
                client.Flush();
                Say("connection tracking table has been emptied.");
                return null;
            case CommandKind.ExpectFlush:
                client.FlushExpectations();
                Say("expectation table has been emptied.");
                return null;
            default:
                PrintFigures(job.Command, client);
                return null;
        }
    }

    private void PrintFigures(CommandKind command, ConntrackClient client)
    {
        try
        {
            Print(command switch
            {
                CommandKind.Count => $"{client.Count()}\n",
                CommandKind.Stats => Lines(client.Stats(), static cpu => CpuStatsText.Format(cpu)),
                _ => Lines(client.ExpectationStats(), static cpu => CpuStatsText.Format(cpu)),
            });
        }
        catch (NetlinkException)
        {
            Print(command == CommandKind.Count ? ProcFigures.Count(_space) : ProcFigures.Stats(_space));
            throw;
        }
    }

    private static string Lines<T>(T[] records, Func<T, string> format) =>
        string.Concat(records.Select(record => format(record) + "\n"));

    private long? PrintLine(string line)
    {
        Print(line + "\n");
        return null;
    }

    private long? PrintHelp(ConntrackJob job, ConntrackSession session)
    {
        Print(HelpText.Of(session.Name, job.Command == CommandKind.Help ? job.Protocol : null));
        return null;
    }

    /// <summary>The closing line; without a single entry, what looks for some has failed.</summary>
    private int Sum(ConntrackJob job, long? count)
    {
        string? what = job.Command switch
        {
            CommandKind.List or CommandKind.Get => "flow entries have been shown",
            CommandKind.Create => "flow entries have been created",
            CommandKind.Update => "flow entries have been updated",
            CommandKind.Delete => "flow entries have been deleted",
            CommandKind.Add => "flow entries have been added",
            CommandKind.Event => "flow events have been shown",
            CommandKind.ExpectEvent => "expectation events have been shown",
            CommandKind.ExpectList or CommandKind.ExpectDelete => "expectations have been shown",
            _ => null,
        };
        if (what is null)
            return ExitCode.Done;
        Say(string.Create(CultureInfo.InvariantCulture, $"{count} {what}."));
        bool mayBeNone = job.Command
            is CommandKind.List or CommandKind.ExpectList or CommandKind.Event or CommandKind.ExpectEvent or CommandKind.Add;
        return count > 0 || mayBeNone ? ExitCode.Done : ExitCode.Failed;
    }
}
