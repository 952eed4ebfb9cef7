using System.Collections.Concurrent;
using System.Globalization;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Sinks.Tests.Reclassify.External;

/// <summary>
/// An external classifier that is a script of the test, in a directory of root's; at the end no process of it may be left.
/// </summary>
internal sealed class ClassifierRig : IAsyncDisposable
{
    /// <summary>How long other processes may take for what is waited for.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cs-external-");

    private ClassifierRig(string? script, string interpreter, Action<ExternalOptions>? change)
    {
        Assert.SkipUnless(Environment.UserName == "root", "needs root, who may run a program as another user");
        File.SetUnixFileMode(
            _directory.FullName,
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        Options = new ExternalOptions { Deadline = TimeSpan.FromSeconds(30) };
        if (script is not null)
        {
            string file = InDirectory("classifier");
            File.WriteAllText(file, $"#!{interpreter}\n{script.Replace("DIR", _directory.FullName, StringComparison.Ordinal)}\n");
            File.SetUnixFileMode(file, (UnixFileMode)Convert.ToInt32("755", 8));
            Options.Command = [file];
        }

        change?.Invoke(Options);
        Assert.Empty(Options.Validate());
        Classifier = new ExternalClassifier(Options, ["wan", "lte"], TimeProvider.System, Logger);
        Logger.OnEntry = id =>
        {
            if (id == 3161) // it waits to start the program again
                Ended.Enqueue(Classifier.Status);
        };
    }

    internal ExternalOptions Options { get; }

    internal ExternalClassifier Classifier { get; }

    internal HostStub Host { get; } = new();

    internal ListLogger Logger { get; } = new();

    internal ExternalCounters Counters => Classifier.Counters;

    /// <summary>Its status at each end of the program: a second or two later it is another.</summary>
    internal ConcurrentQueue<ClassifierStatus> Ended { get; } = new();

    /// <summary>Everything it tells about itself, for a failure's message.</summary>
    internal string Told => $"{Classifier.Status}\n{string.Join('\n', Logger.Entries)}\n{string.Join('\n', Host.Answers)}";

    internal static Task<ClassifierRig> ShellAsync(string script, Action<ExternalOptions>? change = null) =>
        StartAsync(new ClassifierRig(script, "/bin/sh", change));

    internal static Task<ClassifierRig> WithoutInterpreterAsync() => StartAsync(new ClassifierRig("", "/no/such/interpreter", null));

    internal static Task<ClassifierRig> PythonAsync(string script, Action<ExternalOptions>? change = null) =>
        StartAsync(new ClassifierRig(script, Python(), change));

    internal static Task<ClassifierRig> SocketAsync(string socket) =>
        StartAsync(new ClassifierRig(null, "", options => options.Socket = socket));

    internal string InDirectory(string name) => Path.Combine(_directory.FullName, name);

    internal Task WorkingAsync() => Eventually.TrueAsync(() => Classifier.Status.IsWorking, Patience, () => Told);

    internal Task UntilAsync(
        Func<bool> condition, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string waitedFor = "") =>
        Eventually.TrueAsync(condition, Patience, () => Told, waitedFor);

    /// <summary>Waits until the status has told of such an end; returns the first.</summary>
    internal async Task<ClassifierStatus> EndedAsync(string reason)
    {
        await UntilAsync(() => HasEnded(reason));
        return Ended.First(status => status.Text.Contains(reason, StringComparison.Ordinal));
    }

    internal bool HasEnded(string reason) => Ended.Any(status => status.Text.Contains(reason, StringComparison.Ordinal));

    /// <summary>Asks, and waits for the answer.</summary>
    internal async Task<Verdict> AskAsync(int number)
    {
        FlowQuestion question = HostStub.Question(number);
        Verdict verdict = Classifier.Classify(question);
        if (verdict.Kind != VerdictKind.Pending)
            return verdict;
        await UntilAsync(() => Host.Answers.Any(answer => answer.Question == question));
        return Host.Answers.Last(answer => answer.Question == question).Verdict;
    }

    /// <summary>Asks new questions until something shows.</summary>
    internal async Task AskUntilAsync(Func<bool> condition)
    {
        int number = 1_000_000;
        await UntilAsync(() =>
        {
            Classifier.Classify(HostStub.Question(number++));
            return condition();
        });
    }

    /// <summary>Processes that were started by this classifier's program, or are it.</summary>
    internal List<int> Processes() => [.. Directory.EnumerateDirectories("/proc")
        .Select(Path.GetFileName)
        .Where(name =>
            int.TryParse(name, CultureInfo.InvariantCulture, out _)
            && CommandLine(name!).Contains(_directory.FullName, StringComparison.Ordinal))
        .Select(name => int.Parse(name!, CultureInfo.InvariantCulture))];

    public async ValueTask DisposeAsync()
    {
        await Classifier.DisposeAsync();
        await UntilAsync(() => Processes().Count == 0);
        _directory.Delete(recursive: true);
    }

    private static async Task<ClassifierRig> StartAsync(ClassifierRig rig)
    {
        await rig.Classifier.StartAsync(rig.Host, TestContext.Current.CancellationToken);
        return rig;
    }

    private static string Python()
    {
        string[] candidates = ["/usr/bin/python3", "/usr/local/bin/python3"];
        string? python = candidates.FirstOrDefault(File.Exists);
        Assert.SkipUnless(python is not null, "needs python3 in /usr/bin");
        return python!;
    }

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // it has ended
        {
            return "";
        }
    }
}
