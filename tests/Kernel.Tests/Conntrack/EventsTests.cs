using System.Text;
using System.Text.RegularExpressions;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Tests;

namespace ConntrackStream.Kernel.Tests.Conntrack;

/// <summary><c>-E</c> beside the tool's, several at a time over the same events; both end on SIGINT with the same closing line.</summary>
public sealed partial class EventsTests
{
    internal static readonly string[] Options =
    [
        "-o extended,id", "-o save", "-o xml", "-e NEW,DESTROY", "-e UPDATES", "-p udp --dport 9 -o id", "-f ipv6", "-m 5", "-n 9.9.9.9",
        "-s 10.0.0.0/24 -o ktimestamp",
    ];

    [Fact]
    public async Task Events_are_the_tools()
    {
        using CommandRig rig = new();
        using CancellationTokenSource interrupted = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        List<(string Options, KernelProcess Tool, LineCollector Ours, StringWriter Error, Task<int> Run)> pairs = [];
        foreach (string options in Options)
        {
            string[] words = ["-E", .. options.Split(' ')];
            LineCollector ours = new();
            StringWriter error = new();
            pairs.Add((options, rig.Space.Start("conntrack", words), ours, error,
                Task.Run(() => rig.RunAsync(words, ours, error, "", interrupted.Token), CancellationToken.None)));
        }

        // What each of them shows, again and again until all of them listen.
        string[] seen =
        [
            "-I -s 10.0.0.9 -d 10.0.1.2 -p udp --sport 1 --dport 9 -t 500 -m 5 -n 9.9.9.9",
            "-I -s fd00::9 -d fd00::2 -p udp --sport 1 --dport 9 -t 500", "-U -s 10.0.0.9 -t 600", "-D -s 10.0.0.9", "-D -s fd00::9",
        ];
        await Eventually.TrueAsync(() =>
        {
            rig.Do(seen);
            return pairs.TrueForAll(pair => pair.Tool.Output.Count > 0 && pair.Ours.Lines.Count > 0);
        });
        rig.Do(
            "-I -s 10.0.0.1 -d 10.0.1.1 -p udp --sport 7777 --dport 9 -t 500 -m 5 -n 9.9.9.9",
            "-I -s fd00::1 -d fd00::2 -p tcp --sport 7777 --dport 9 --state ESTABLISHED -t 500",
            "-I -w 3 -s 10.0.0.1 -d 10.0.1.1 -p tcp --sport 7777 --dport 80 --state SYN_SENT -t 500",
            "-U -s 10.0.0.1 -t 600", "-U -s fd00::1 -m 7", "-U -s 10.0.0.1 -p tcp --state ESTABLISHED", "-D -s 10.0.0.1", "-D -s fd00::1");
        rig.Do(seen);
        await Eventually.TrueAsync(() => pairs.TrueForAll(pair => IsOver(pair.Tool.Output) && IsOver(pair.Ours.Lines)));
        await interrupted.CancelAsync();
        foreach ((string options, KernelProcess tool, LineCollector ours, StringWriter error, Task<int> run) in pairs)
        {
            Assert.Equal(0, await run);
            Assert.Equal(0, tool.Stop("INT"));
            Assert.Equal(Story(tool.Output), Story(ours.Lines));
            Assert.Equal(Count().Replace(string.Join('\n', tool.Error) + "\n", "N"), Count().Replace(error.ToString(), "N"));
            Assert.True(options.Contains("xml", StringComparison.Ordinal) == (ours.Lines[^1] == "</conntrack>"), options);
        }
    }

    [Fact]
    public async Task A_buffer_is_as_large_as_the_tools()
    {
        using CommandRig rig = new();
        KernelProcess tool = rig.Space.Start("conntrack", "-E", "-b", "1000000");
        await Eventually.TrueAsync(() => tool.Error.Count > 0);
        using CancellationTokenSource over = new();
        await over.CancelAsync();
        using StringWriter error = new();
        await rig.RunAsync(["-E", "-b", "1000000"], Stream.Null, error, "", over.Token);
        Assert.StartsWith(tool.Error[0] + "\n", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, tool.Stop("INT"));
    }

    /// <summary>The events of the part that all of them saw.</summary>
    private static string[] Story(IEnumerable<string> lines) =>
        [.. lines.Where(static line => line.Contains("7777", StringComparison.Ordinal)).Select(Plain)];

    /// <summary>Which program caused it is found only if it still runs; a start's age depends on the clock.</summary>
    private static string Plain(string line) => Varying().Replace(line, "");

    /// <summary>Something came behind that part.</summary>
    private static bool IsOver(IReadOnlyList<string> lines) =>
        Story(lines).Length > 0 && !lines[^1].Contains("7777", StringComparison.Ordinal);

    [GeneratedRegex(@" progname=.*$| portid=\d+|delta-time=\d+ ?|<deltatime>\d+", RegexOptions.None, 1000)]
    private static partial Regex Varying();

    [GeneratedRegex(@"\d+(?= flow events)", RegexOptions.None, 1000)]
    private static partial Regex Count();
}

/// <summary>Text that another thread writes, to be read line by line meanwhile.</summary>
internal sealed class LineCollector : MemoryStream
{
    private readonly Lock _gate = new();

    internal IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate)
                return Encoding.UTF8.GetString(ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
    }

    // The stream writes spans by way of this one.
    public override void Write(byte[] buffer, int offset, int count)
    {
        lock (_gate)
            base.Write(buffer, offset, count);
    }
}
