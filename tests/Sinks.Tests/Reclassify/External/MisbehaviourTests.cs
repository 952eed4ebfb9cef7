using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Sinks.Tests.Reclassify.External;

/// <summary>
/// Real programs that do what they should not; each is told in the status, and none of its processes stays (the rig looks).
/// </summary>
public sealed class MisbehaviourTests
{
    [Fact]
    public async Task One_that_crashes_is_started_again_and_its_last_words_are_logged()
    {
        await using ClassifierRig rig = await ClassifierRig.ShellAsync("read -r hello; echo no good >&2; exit 3");
        ClassifierStatus status = await rig.EndedAsync("ended with exit code 3");
        Assert.StartsWith("restarts in ", status.Text, StringComparison.Ordinal);
        Assert.False(status.IsWorking);
        Assert.Contains((3162, "External classifier: no good"), rig.Logger.Entries);
        Verdict verdict = rig.Classifier.Classify(HostStub.Question(1));
        await rig.UntilAsync(() => rig.Counters.Restarts >= 2);
        Assert.NotEqual(VerdictKind.Path, verdict.Kind);
    }

    [Fact]
    public async Task A_script_whose_interpreter_is_not_there_is_told_so()
    {
        await using ClassifierRig rig = await ClassifierRig.WithoutInterpreterAsync();
        await rig.UntilAsync(() => rig.Classifier.Status.Text.StartsWith("restarts in ", StringComparison.Ordinal));
        Assert.Contains(
            ": ENOENT (No such file or directory); is there the interpreter that its first line names",
            rig.Classifier.Status.Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_killed_by_a_signal_is_told_so_and_what_was_open_is_kept_at_once()
    {
        await using ClassifierRig rig = await ClassifierRig.ShellAsync("read -r hello; read -r question; kill -9 $$");
        await rig.WorkingAsync();
        Verdict verdict = await rig.AskAsync(1); // long before its deadline of 30 s
        Assert.Equal(ExternalVerdicts.Ended, verdict);
        await rig.EndedAsync("ended with exit code 137 (signal 9)");
    }

    [Fact]
    public async Task One_that_never_answers_is_ended()
    {
        await using ClassifierRig rig =
            await ClassifierRig.ShellAsync("while read -r line; do :; done", options => options.Deadline = TimeSpan.FromMilliseconds(20));
        await rig.WorkingAsync();
        await rig.AskUntilAsync(() => rig.HasEnded("hangs: no answer to"));
        Assert.Equal(1, rig.Counters.Hangs);
        Assert.True(rig.Counters.Unanswered >= ExternalSession.MaxMissedInRow);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1024, 1)]
    [InlineData(65536, 5000)] // more than the pipe holds
    public async Task One_that_does_not_even_read_is_ended(int maxOutstanding, int atOnce)
    {
        await using ClassifierRig rig = await ClassifierRig.PythonAsync("import time\ntime.sleep(1000)", options =>
        {
            options.Deadline = TimeSpan.FromMilliseconds(20);
            options.MaxOutstanding = maxOutstanding;
        });
        await rig.WorkingAsync();
        for (int i = 0; i < atOnce; i++)
            rig.Classifier.Classify(HostStub.Question(i));
        await rig.AskUntilAsync(() => rig.HasEnded("hangs: no answer to"));
    }

    [Fact]
    public async Task One_that_floods_with_answers_is_ended()
    {
        await using ClassifierRig rig =
            await ClassifierRig.ShellAsync("read -r hello; read -r question; yes '{\"v\":1,\"id\":1,\"path\":\"lte\"}'");
        await rig.WorkingAsync();
        Assert.Equal("lte", (await rig.AskAsync(1)).Path);
        await rig.EndedAsync("floods: ");
        Assert.Equal(1, rig.Counters.Answered);
        Assert.True(rig.Counters.Late >= ExternalSession.FreeAnswers);
    }

    [Fact]
    public async Task One_that_asks_for_flows_to_be_looked_at_again_without_end_is_not_read_so_fast()
    {
        await using ClassifierRig rig = await ClassifierRig.ShellAsync("exec yes '{\"v\":1,\"reconsider\":\"203.0.113.0/24\"}'");
        await rig.UntilAsync(() => rig.Counters.Flooded > 0);
        Assert.True(rig.Classifier.Status.IsWorking, rig.Told);
        await rig.UntilAsync(() => rig.Logger.Entries.Any(entry => entry.Id == 3165));
        Assert.True(rig.Host.Reconsidered.Count >= ReconsiderPace.Burst);
    }

    [Theory]
    [InlineData("yes garbage", LineFault.NotJson)]
    [InlineData("yes ''", LineFault.NotJson)]
    [InlineData("yes '{\"v\":2,\"id\":1}'", LineFault.Version)]
    [InlineData("yes '{\"v\":1,\"id\":7}'", LineFault.UnknownId)]
    [InlineData("yes '{\"v\":1,\"reconsider\":\"everything\"}'", LineFault.Address)]
    [InlineData("cat /dev/urandom", LineFault.NotJson)]
    [InlineData("cat /dev/zero | tr '\\0' x", LineFault.TooLong)] // a line without end
    public async Task One_that_sends_garbage_is_ended(string command, LineFault fault)
    {
        await using ClassifierRig rig = await ClassifierRig.ShellAsync($"exec {command}");
        await rig.EndedAsync("sends garbage");
        Assert.True(rig.Counters.MalformedBy(fault) > 0);
        Assert.True(rig.Counters.Malformed >= ExternalSession.MaxFaultsInRow);
        Assert.True(rig.Logger.Entries.Count(entry => entry.Id == 3164) <= 2, rig.Told); // once a kind
    }

    [Fact]
    public async Task One_that_answers_late_finds_its_question_closed()
    {
        await using ClassifierRig rig = await ClassifierRig.ShellAsync(
            "read -r hello; read -r question; sleep 1; echo '{\"v\":1,\"id\":1,\"path\":\"lte\"}'; read -r more",
            options => options.Deadline = TimeSpan.FromMilliseconds(20));
        await rig.WorkingAsync();
        Verdict verdict = await rig.AskAsync(1);
        Assert.Equal(
            new Verdict(VerdictKind.Keep, null, "no answer from the external classifier in 20 ms", TimeSpan.FromSeconds(1)), verdict);
        await rig.UntilAsync(() => rig.Counters.Late == 1);
        Assert.Single(rig.Host.Answers);
        Assert.Contains("1 asked, 0 answered, 1 late", rig.Classifier.Status.Text, StringComparison.Ordinal);
    }

    /// <summary>Control for the one above: without a deadline that is due, the same late answer is taken.</summary>
    [Fact]
    public async Task The_same_answer_is_in_time_for_a_longer_deadline()
    {
        await using ClassifierRig rig = await ClassifierRig.ShellAsync(
            "read -r hello; read -r question; sleep 1; echo '{\"v\":1,\"id\":1,\"path\":\"lte\"}'; read -r more");
        await rig.WorkingAsync();
        Assert.Equal("lte", (await rig.AskAsync(1)).Path);
    }

    [Fact]
    public async Task Half_lines_are_put_together_and_half_a_line_at_the_end_is_none()
    {
        await using ClassifierRig rig = await ClassifierRig.ShellAsync(
            "read -r hello; read -r question; printf '{\"v\":1,'; sleep 0.2; printf '\"id\":1,\"pa'; sleep 0.2; printf 'th\":\"lte\"}\\n"
            + "{\"v\":1,\"id\":2,\"path\":\"lte\"}'");
        await rig.WorkingAsync();
        Assert.Equal("lte", (await rig.AskAsync(1)).Path);
        await rig.EndedAsync("ended with exit code 0");
        Assert.Equal(1, rig.Counters.Answered);
    }

    [Theory]
    [InlineData("exec 1>&-; sleep 1000")]
    [InlineData("trap '' TERM; exec 1>&-; while :; do sleep 1000; done")]
    public async Task One_that_only_closes_its_output_is_ended_whether_it_minds_SIGTERM_or_not(string script)
    {
        await using ClassifierRig rig = await ClassifierRig.ShellAsync(script);
        await rig.EndedAsync("closed its output");
        await rig.UntilAsync(() => rig.Counters.Restarts >= 1);
    }

    [Fact]
    public async Task What_it_has_started_is_found_in_another_session_too()
    {
        const string Script = """
            import os, sys, time
            if len(sys.argv) > 1:
                print("grandchild", file=sys.stderr, flush=True)
                time.sleep(1000)
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.execv(sys.argv[0], [sys.argv[0], "grandchild"])
                os._exit(0)
            sys.stdin.readline()
            time.sleep(1000)
            """;
        await using ClassifierRig rig = await ClassifierRig.PythonAsync(Script);
        await rig.UntilAsync(() => rig.Logger.Entries.Contains((3162, "External classifier: grandchild")));
        // the one in between has ended
        await rig.UntilAsync(() => rig.Processes().Count(process => File.Exists($"/proc/{process}/environ")) == 2);
    }

    [Fact]
    public async Task A_flood_on_standard_error_is_logged_in_part_and_does_no_harm()
    {
        await using ClassifierRig rig = await ClassifierRig.ShellAsync(
            "yes complaint >&2 & read -r hello; while read -r line; do id=${line#*'\"id\":'}; echo \"{\\\"v\\\":1,\\\"id\\\":${id%%,*},"
            + "\\\"keep\\\":true}\"; done; kill $!");
        await rig.WorkingAsync();
        await rig.UntilAsync(() => rig.Logger.Entries.Any(entry => entry.Id == 3163));
        Assert.Equal(VerdictKind.Keep, (await rig.AskAsync(1)).Kind);
        Assert.Equal(1, rig.Counters.Answered);
    }
}
