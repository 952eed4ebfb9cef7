using System.Net.Sockets;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Sinks.Tests.Reclassify.External;

public sealed class ExternalClassifierTests
{
    /// <summary>Says on standard error what it was told, and answers each question by the last octet's wish.</summary>
    private const string Obedient =
        """
        read -r hello; echo "$hello" >&2
        while read -r line; do
          echo "$line" >&2
          id=${line#*'"id":'}; id=${id%%,*}
          case $line in
            *'"dport":1001,'*) echo "{\"v\":1,\"id\":$id,\"path\":\"lte\",\"reason\":\"app_1\",\"ttl_ms\":5000,\"new\":[1,{}]}" ;;
            *'"dport":1002,'*) echo "{\"v\":1,\"id\":$id,\"keep\":true}" ;;
            *'"dport":1003,'*) echo "{\"v\":1,\"id\":$id}" ;;
            *'"dport":1004,'*) echo "{\"v\":1,\"id\":$id,\"path\":\"dsl\"}" ;;
            *'"dport":1005,'*) echo '{"v":1,"reconsider":"203.0.113.0/24"}'; echo '{"v":1,"reconsider":"2001:db8::1"}'; echo "{\"v\":1,\"id\":$id}" ;;
          esac
        done
        """;

    [Fact]
    public async Task Every_kind_of_answer_arrives()
    {
        await using ClassifierRig rig = await ClassifierRig.ShellAsync(Obedient);
        await rig.WorkingAsync();
        Assert.Equal(Verdict.To("lte", "app_1", TimeSpan.FromSeconds(5)) with { Origin = "external" }, await rig.AskAsync(1));
        Assert.Equal(
            new Verdict(VerdictKind.Keep, null, "external", TimeSpan.FromSeconds(30)) { Origin = "external" }, await rig.AskAsync(2));
        Assert.Equal(new Verdict(VerdictKind.None, null, "external") { Origin = "external" }, await rig.AskAsync(3));
        Assert.Equal(ExternalVerdicts.Unusable, await rig.AskAsync(4));
        await rig.UntilAsync(() => rig.Counters.MalformedBy(LineFault.UnknownPath) == 1);
        await rig.AskAsync(5);
        Assert.Equal(
            [
                new AddressRange(FlowFamily.IPv4, new IpAddress(0, 0xCB007100), new IpAddress(0, 0xCB0071FF)),
                new AddressRange(FlowFamily.IPv6, new IpAddress(0x20010DB8_00000000, 1), new IpAddress(0x20010DB8_00000000, 1)),
            ],
            rig.Host.Reconsidered.Where(range => range != AddressRange.All(range.Family)));
        Assert.Matches(@"^running \(pid \d+\), 5 asked, 5 answered, 0 late$", rig.Classifier.Status.Text);
        foreach (string told in (string[])
            [
                "External classifier: {\"v\":1,\"hello\":\"conntrack-stream\",\"paths\":[\"wan\",\"lte\"],\"deadline_ms\":30000}",
                "External classifier: {\"v\":1,\"id\":1,\"question\":{\"family\":\"ipv4\",\"proto\":\"tcp\",\"proto_num\":6,"
                + "\"src\":\"192.168.1.2\",\"sport\":40000,\"dst\":\"203.0.113.0\",\"dport\":1001,\"zone\":0,\"mark\":256}}",
            ])
            await rig.UntilAsync(() => rig.Logger.Entries.Contains((3162, told))); // its two outputs are read by a task each
    }

    [Fact]
    public async Task An_open_question_is_asked_once_and_room_is_bounded()
    {
        await using ClassifierRig rig =
            await ClassifierRig.ShellAsync("while read -r line; do :; done", options => options.MaxOutstanding = 2);
        await rig.WorkingAsync();
        for (int i = 0; i < 10; i++)
            Assert.Equal(VerdictKind.Pending, rig.Classifier.Classify(HostStub.Question(1)).Kind);
        Assert.Equal(VerdictKind.Pending, rig.Classifier.Classify(HostStub.Question(1, "lte")).Kind); // on another path: another question
        Assert.Equal(2, rig.Counters.Asked);
        Assert.Equal(ExternalVerdicts.Busy, rig.Classifier.Classify(HostStub.Question(2)));
        Assert.Equal(1, rig.Counters.Refused);
    }

    [Fact]
    public async Task Asking_does_not_allocate()
    {
        await using ClassifierRig rig =
            await ClassifierRig.ShellAsync("while read -r line; do :; done", options => options.MaxOutstanding = 4096);
        await rig.WorkingAsync();
        FlowQuestion[] questions = [.. Enumerable.Range(0, 4096).Select(number => HostStub.Question(number))];
        for (int i = 0; i < 2048; i++)
            rig.Classifier.Classify(questions[i]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 2048; i < 4096; i++)
            rig.Classifier.Classify(questions[i]);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024); // the queue's growth; not 2048 objects of any kind
        Assert.Equal(4096, rig.Counters.Asked);
    }

    [Fact]
    public async Task The_program_is_nobody_and_has_nothing_of_the_service()
    {
        using FileStream ours = File.OpenRead("/etc/passwd");
        const string Script = """
            import os, sys
            names = " ".join(sorted(os.environ.keys()))
            open_files = " ".join(str(n) for n in range(3, 1024) if os.path.exists("/proc/self/fd/%d" % n))
            print(os.getuid(), os.getgid(), os.getgroups(), os.getcwd(), names, "files:", open_files, file=sys.stderr)
            print("done", file=sys.stderr, flush=True)
            sys.stdin.readline()
            sys.stdin.readline()
            """;
        await using ClassifierRig rig = await ClassifierRig.PythonAsync(Script);
        await rig.UntilAsync(() => rig.Logger.Entries.Contains((3162, "External classifier: done")));
        Assert.Contains(
            (3162, $"External classifier: 65534 65534 [65534] / {LeftProcesses.Variable} LANG PATH files: "),
            // python's own
            rig.Logger.Entries.Select(static entry => (entry.Id, entry.Text.Replace("LC_CTYPE ", "", StringComparison.Ordinal))));
    }

    /// <summary>With sets: ClassifyByIpsetTests of the kernel tests.</summary>
    [Fact]
    public async Task The_sample_in_shell_has_no_opinion_without_sets()
    {
        string sample = Path.Combine(AppContext.BaseDirectory, "../../../../../samples/classify-by-ipset.sh");
        await using ClassifierRig rig =
            await ClassifierRig.ShellAsync(await File.ReadAllTextAsync(sample, TestContext.Current.CancellationToken));
        await rig.WorkingAsync();
        for (int i = 0; i < 3; i++)
            Assert.Equal(VerdictKind.None, (await rig.AskAsync(i)).Kind);
        Assert.Equal(0, rig.Counters.Malformed);
    }

    [Fact]
    public async Task A_program_that_others_could_write_is_refused_at_the_start()
    {
        await using ClassifierRig rig = await ClassifierRig.ShellAsync("read -r end");
        string file = rig.Options.Command[0];
        Assert.Null(ChildPeer.Problem(rig.Options)); // control
        File.SetUnixFileMode(file, (UnixFileMode)Convert.ToInt32("757", 8));
        await RefusedAsync(rig.Options, $"Reclassify:External:Command: {file} can be written by its group or by everybody (chmod go-w)");
        File.SetUnixFileMode(file, (UnixFileMode)Convert.ToInt32("644", 8));
        await RefusedAsync(rig.Options, $"Reclassify:External:Command: {file} is not executable (chmod 755)");
        await RefusedAsync(
            new ExternalOptions { Command = ["/bin/cat"], User = "nemo.nusquam" },
            "Reclassify:External:Command: there is no user nemo.nusquam to run /bin/cat as (Reclassify:External:User)");
        await RefusedAsync(
            new ExternalOptions { Command = ["/nowhere/x"] }, "Reclassify:External:Command: /nowhere/x does not exist, or is no file");
    }

    [Fact]
    public async Task A_socket_may_appear_late_go_away_and_come_back()
    {
        string directory = Directory.CreateTempSubdirectory("cs-external-socket-").FullName;
        string path = Path.Combine(directory, "classifier");
        await using ClassifierRig rig = await ClassifierRig.SocketAsync(path);
        await rig.UntilAsync(() => rig.Classifier.Status.Text.Contains($"{path} cannot be connected to", StringComparison.Ordinal));
        Assert.Equal(ExternalVerdicts.NotRunning, rig.Classifier.Classify(HostStub.Question(1)));
        for (int round = 1; round <= 2; round++)
        {
            using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen();
            using Socket socket = await listener.AcceptAsync(TestContext.Current.CancellationToken);
            using NetworkStream stream = new(socket);
            using StreamReader reader = new(stream);
            Assert.Contains("\"hello\"", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            await rig.WorkingAsync();
            Assert.StartsWith($"connected to {path}, ", rig.Classifier.Status.Text, StringComparison.Ordinal);
            await rig.UntilAsync(() => rig.Host.Reconsidered.Count == 2 * round); // flows kept meanwhile: both families, everything
            Assert.Equal(VerdictKind.Pending, rig.Classifier.Classify(HostStub.Question(round)).Kind);
            Assert.Contains(
                $"\"id\":{round},", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            await stream.WriteAsync(
                System.Text.Encoding.UTF8.GetBytes($"{{\"v\":1,\"id\":{round},\"path\":\"wan\"}}\n"),
                TestContext.Current.CancellationToken);
            await rig.UntilAsync(
                () => rig.Host.Answers.Any(answer => answer.Question == HostStub.Question(round) && answer.Verdict.Path == "wan"));
            File.Delete(path);
            socket.Shutdown(SocketShutdown.Both);
            await rig.UntilAsync(
                () => !rig.Classifier.Status.IsWorking && rig.Classifier.Classify(HostStub.Question(9)).Kind == VerdictKind.Keep);
        }

        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task The_deadline_is_kept_to_the_millisecond_of_the_given_clock()
    {
        string directory = Directory.CreateTempSubdirectory("cs-external-socket-").FullName;
        string path = Path.Combine(directory, "classifier");
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        VirtualTime time = new();
        HostStub host = new();
        await using ExternalClassifier classifier = new(new ExternalOptions { Socket = path }, ["wan"], time, new ListLogger());
        await classifier.StartAsync(host, TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => classifier.Status.IsWorking, ClassifierRig.Patience, () => classifier.Status.Text);
        Assert.Equal(VerdictKind.Pending, classifier.Classify(HostStub.Question(1)).Kind);
        time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(VerdictKind.Pending, classifier.Classify(HostStub.Question(2)).Kind);
        time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.Empty(host.Answers);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(HostStub.Question(1), Assert.Single(host.Answers).Question);
        time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(2, host.Answers.Count);
        Assert.Equal(2, classifier.Counters.Unanswered);
        Assert.Empty(time.Due);
        Directory.Delete(directory, recursive: true);
    }

    private static async Task RefusedAsync(ExternalOptions options, string message)
    {
        await using ExternalClassifier classifier = new(options, ["wan"], TimeProvider.System, new ListLogger());
        ExternalClassifierException refused = await Assert.ThrowsAsync<ExternalClassifierException>(
            async () => await classifier.StartAsync(new HostStub(), TestContext.Current.CancellationToken));
        Assert.Equal(message, refused.Message);
    }
}
