using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Tests;

namespace ConntrackStream.Kernel.Tests.Conntrack;

/// <summary>The table of expectations, beside the tool.</summary>
public sealed partial class ExpectationTests
{
    private const string Master = "-s 127.0.0.1 -d 127.0.0.1 -p udp --sport 6969 --dport 69";

    private const string Make = "-I expect " + Master + " -t 200 --tuple-src 4.4.4.4 --tuple-dst 5.5.5.5 --mask-src 255.255.255.255 "
        + "--mask-dst 255.255.255.255 --tuple-port-src 10240 --tuple-port-dst 10241 --mask-port-src 65535 --mask-port-dst 65535";

    private const string Expected = "-s 4.4.4.4 -d 5.5.5.5 -p udp --sport 10240 --dport 10241 --reply-port-src 3 --reply-port-dst 4";

    internal static readonly string[] Steps =
    [
        "-L expect", Make, "-L expect", "-L e -o xml", "-L expect -f ipv6", "-C expect", "-G expect " + Expected,
        "-G expect -o xml " + Expected, "-G expect " + Expected.Replace("10241", "10242", StringComparison.Ordinal),
        "-D expect " + Expected, "-D expect " + Expected,
        "-C expect", Make, Make, "-F expect", "-C expect", Make.Replace("6969", "6970", StringComparison.Ordinal), "-S expect",
        "-I expect " + Master, "-I expect", "-L expect -p udp",
    ];

    [Fact]
    public async Task Expectations_are_the_tools()
    {
        using CommandRig rig = new();
        rig.Space.Sysctl("net.netfilter.nf_conntrack_events", "1"); // else the master has none, made before there is a listener
        rig.Space.Rules(
            """
            table inet h { ct helper tftp { type "tftp" protocol udp; };
              chain c { type filter hook output priority 10; udp dport 69 ct helper set "tftp"; }; }
            """);
        using Socket socket = rig.Space.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 6969));
        socket.SendTo([1], new IPEndPoint(IPAddress.Loopback, 69));

        using CancellationTokenSource interrupted = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        LineCollector events = new();
        using StringWriter error = new();
        Task<int> watch = Task.Run(() => rig.RunAsync(["-E", "expect"], events, error, "", interrupted.Token), CancellationToken.None);
        KernelProcess tool = rig.Space.Start("conntrack", "-E", "expect");
        await Eventually.TrueAsync(() =>
        {
            Assert.Equal(0, rig.Run(Make.Split(' ')).ExitCode);
            Assert.Equal(0, rig.Run(["-F", "expect"]).ExitCode);
            return tool.Output.Count > 0 && events.Lines.Count > 0;
        }, state: () => $"tool {tool.Output.Count} {string.Join('\n', tool.Error)}, ours {events.Lines.Count} {watch.Status} {error}");
        string[] theirs = [.. Steps.Select(step => Do(rig.RunTool, step))], ours = [.. Steps.Select(step => Do(rig.Run, step))];
        Assert.Equal(theirs, ours);
        Assert.Contains(ours, static step => step.Contains("helper=tftp", StringComparison.Ordinal));
        _ = Do(rig.Run, Make.Replace("10241", "11111", StringComparison.Ordinal));
        _ = Do(rig.Run, "-F expect");
        await Eventually.TrueAsync(() => tool.Output.Any(IsLast) && events.Lines.Any(IsLast));
        await interrupted.CancelAsync();
        Assert.Equal((0, 0), (await watch, tool.Stop("INT")));
        Assert.Equal(
            tool.Output.Select(Timeless).TakeLast(8), events.Lines.Select(Timeless).TakeLast(8), StringComparer.Ordinal);
        Assert.Matches("^conntrack v1.4.7 \\(conntrack-tools\\): [0-9]+ expectation events have been shown.\n$", error.ToString());
    }

    private static bool IsLast(string line) =>
        line.StartsWith("[DESTROY]", StringComparison.Ordinal) && line.Contains("dport=11111", StringComparison.Ordinal);

    private static string Do(Func<string[], string, (int ExitCode, string Output, string Error)> run, string step)
    {
        (int code, string output, string error) = run(step.Split(' '), "");
        return $"{step} => {code}\n{Timeless(output)}\n{error}";
    }

    private static string Timeless(string text) => Times().Replace(text, "…");

    [GeneratedRegex(@"\d+(?= proto=)|(?<=<timeout>)\d+|(?<=expect_(?:new|create|delete)=)\d+", RegexOptions.None, 1000)]
    private static partial Regex Times();
}
