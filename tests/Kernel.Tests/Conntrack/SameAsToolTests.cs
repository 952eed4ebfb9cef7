using System.Net;
using System.Net.Sockets;
using ConntrackStream.Tests;

namespace ConntrackStream.Kernel.Tests.Conntrack;

/// <summary>
/// Every command line of Cases.txt: output, errors, exit code and what it leaves in the table are those of conntrack 1.4.7, to the letter.
/// </summary>
public sealed class SameAsToolTests
{
    internal static readonly string[] Entries =
    [
        "-F",
        "-I -s 1.1.1.1 -d 2.2.2.2 -p tcp --sport 10 --dport 20 --state LISTEN -u SEEN_REPLY -t 500",
        "-I -s 2001:db8::1 -d 2001:db8::2 -p udp --sport 10 --dport 20 -t 500",
        "-I -w 7 -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 10 --dport 20 -t 500 -m 5",
        "-I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 12 --dport 20 -t 500 -m 0x15",
        "-I --orig-zone 8 -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 11 --dport 20 -t 500",
        "-I --reply-zone 9 -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 13 --dport 20 -t 500",
        "-I -s 1.1.1.1 -d 2.2.2.2 -p gre --srckey 1 --dstkey 0x20 -t 500",
        "-I -s 1.1.1.1 -d 2.2.2.2 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 5 -t 500",
        "-I -s fd00::1 -d fd00::2 -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 5 -t 500",
        "-I -s 1.1.1.9 -d 2.2.2.2 -p tcp --sport 10 --dport 20 --state ESTABLISHED -t 500 -n 9.9.9.9:99",
        "-I -s 1.1.1.8 -d 2.2.2.3 -p tcp --sport 10 --dport 20 --state ESTABLISHED -t 500 -g 9.9.9.9:99 -u ASSURED,SEEN_REPLY -m 3",
        "-I -s fd00::8 -d fd00::3 -p tcp --sport 10 --dport 20 --state ESTABLISHED -t 500 -n fd00::99",
        "-I -s 1.1.1.7 -d 2.2.2.2 -p sctp --sport 10 --dport 20 --state ESTABLISHED -t 500 --orig-vtag 1 --reply-vtag 2",
        "-I -s 1.1.1.7 -d 2.2.2.2 -p 50 -t 500",
        "-I -s 1.1.1.7 -d 2.2.2.2 -p udplite --sport 1 --dport 2 -t 500",
    ];

    private static readonly ushort[] LabelledPorts = [7001, 7002, 7003, 7004];

    [Fact]
    [TestTimeLimit(180)]
    public void Every_command_line_does_what_the_tool_does()
    {
        using CommandRig rig = new();
        rig.Space.Sysctl("net.netfilter.nf_conntrack_acct", "1");
        rig.Space.Sysctl("net.netfilter.nf_conntrack_timestamp", "1");
        rig.Do(Entries);
        Compare(rig, CommandCase.All, () => rig.Do(Entries), rig.RunTool, rig.Table);
    }

    [Fact]
    [TestTimeLimit(120)]
    public void Labels_are_the_tools()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "1 one\n2 two\n60 sixty\n120 high\n5 five and more\n128 beyond\n");
            using CommandRig rig = new() { LabelFile = file };
            rig.Space.Rules(
                "table inet labels { chain c { type filter hook output priority 10; udp dport 7001 ct label set 1; "
                + "udp dport 7002 ct label set 60; udp dport 7003 ct label set 5; udp dport 7004 ct label set 120; }; }");
            Send(rig);
            // the tool reads one file only, so that path is covered in a mount namespace of its own
            const string Script = "mount -t tmpfs none /etc && mkdir /etc/xtables && cp \"$0\" /etc/xtables/connlabel.conf "
                + "&& exec conntrack \"$@\"";
            Compare(
                rig, CommandCase.Labels, () => Send(rig),
                (words, input) => rig.RunTool("unshare", ["-m", "sh", "-c", Script, file, .. words], input),
                () => rig.Run(["-L", "-o", "labels"]).Output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static void Compare(
        CommandRig rig, IEnumerable<CommandCase> cases, Action prepare,
        Func<string[], string, (int ExitCode, string Output, string Error)> runTool, Func<string> table)
    {
        List<string> different = [];
        foreach (CommandCase one in cases)
        {
            CommandResult theirs = Run(runTool), ours = Run(rig.Run);
            if (theirs != ours)
                different.Add($"conntrack {one.Text}\ntool: {theirs}\nours: {ours}");

            CommandResult Run(Func<string[], string, (int ExitCode, string Output, string Error)> run)
            {
                if (one.Changes)
                    prepare();
                (int code, string output, string error) = run(one.Words, one.Input);
                return CommandResult.Of(code, output, error, one.Changes ? table() : "");
            }
        }

        Assert.True(different.Count == 0, string.Join("\n\n", different.Take(20)));
    }

    /// <summary>The same flows, each with a label of a rule.</summary>
    private static void Send(CommandRig rig)
    {
        rig.Do("-F");
        foreach (ushort port in LabelledPorts)
        {
            using Socket socket = rig.Space.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port + 1000));
            socket.SendTo([1], new IPEndPoint(IPAddress.Loopback, port));
        }
    }
}
