using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>
/// A child process, asked on its standard input. Its environment is PATH, LANG and a mark by which everything it starts is found again; its
/// directory is <c>/</c>; no other descriptor than the three standard ones is open in it.
/// When this service is killed, the child finds its standard input at the end.
/// </summary>
internal sealed class ChildPeer : ExternalPeer
{
    /// <summary>Half of the time between the end of its standard input and its being killed; SIGTERM comes in between.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly Process _process;
    private readonly string _user;
    private readonly LeftProcesses _left;
    private readonly TimeProvider _time;
    private readonly ErrorLines _errors;
    private bool _isEnded;

    private ChildPeer(Process process, string user, LeftProcesses left, TimeProvider time, ILogger logger)
    {
        (_process, _user, _left, _time) = (process, user, left, time);
        ProcessId = process.Id;
        Questions = process.StandardInput.BaseStream;
        Answers = process.StandardOutput.BaseStream;
        _errors = new ErrorLines(process.StandardError.BaseStream, time, logger);
    }

    internal int ProcessId { get; }

    internal override string Text => string.Create(CultureInfo.InvariantCulture, $"running (pid {ProcessId})");

    internal override Stream Questions { get; }

    internal override Stream Answers { get; }

    /// <summary>What keeps the program from being started: a sentence that names file and remedy; null when nothing is known to.</summary>
    internal static string? Problem(ExternalOptions options)
    {
        string program = options.Command[0];
        if (RootOwned.Problem(program) is { } problem)
            return $"{program} {problem}";
        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        if ((File.GetUnixFileMode(program) & Execute) == UnixFileMode.None)
            return $"{program} is not executable (chmod 755)";
        return ProcessCalls.FindUser(options.User) is null
            ? $"there is no user {options.User} to run {program} as (Reclassify:External:User)"
            : null;
    }

    /// <exception cref="ExternalClassifierException">It cannot be started.</exception>
    internal static ChildPeer Start(ExternalOptions options, TimeProvider time, ILogger logger)
    {
        if (Problem(options) is { } problem)
            throw new ExternalClassifierException(problem);
        LeftProcesses left = new();
        ProcessStartInfo start = new(options.Command[0], options.Command.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["LANG"] = "C.UTF-8";
        start.Environment[LeftProcesses.Variable] = left.Mark;
        if (ProcessCalls.FindUser(options.User) != FileTrust.OwnUser)
            start.UserName = options.User;
        ProcessCalls.CloseOnExec();
        ProcessCalls.DropAmbientCapabilities();
        try
        {
            return new ChildPeer(Process.Start(start)!, options.User, left, time, logger);
        }
        catch (Win32Exception e)
        {
            Errno errno = (Errno)e.NativeErrorCode;
            throw new ExternalClassifierException(
                $"{options.Command[0]} cannot be started as {options.User}: "
                + $"{errno} ({NetlinkException.DescribeErrno(errno)}){Advice(errno, options.User)}",
                e);
        }
    }

    // execve(2) tells of the interpreter as if it were of the script.
    private static string Advice(Errno errno, string user) => errno switch
    {
        Errno.EPERM => $"; running it as {user} takes CAP_SETUID and CAP_SETGID",
        Errno.ENOENT => "; is there the interpreter that its first line names after #!",
        Errno.EACCES => $"; {user} must be allowed to execute it, and to pass through all directories above it",
        Errno.ENOEXEC => "; a script begins with #! and its interpreter",
        _ => "",
    };

    internal override async ValueTask<string?> EndAsync()
    {
        if (_isEnded)
            return null;
        _isEnded = true;
        Questions.Dispose();
        bool endedByItself = await HasEndedInGraceAsync().ConfigureAwait(false);
        if (!endedByItself)
        {
            _ = Libc.kill(ProcessId, ProcessCalls.SIGTERM);
            if (!await HasEndedInGraceAsync().ConfigureAwait(false))
                KillTree();
        }

        _left.Kill();
        await _errors.DisposeAsync().ConfigureAwait(false);
        Answers.Dispose();
        bool isGone = await HasEndedInGraceAsync().ConfigureAwait(false);
        string? end = endedByItself ? Describe(_process.ExitCode)
            : isGone ? null
            : $"cannot be killed (pid {ProcessId}); ending a process of user {_user} takes CAP_KILL";
        _process.Dispose();
        return end;
    }

    private async Task<bool> HasEndedInGraceAsync()
    {
        using CancellationTokenSource given = new(Grace, _time);
        try
        {
            await _process.WaitForExitAsync(given.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (given.IsCancellationRequested)
        {
            return false;
        }
    }

    private void KillTree()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (AggregateException) // some of them are not ours to kill any more (they changed their user); the process itself:
        {
            _ = Libc.kill(ProcessId, ProcessCalls.SIGKILL);
        }
    }

    /// <summary>The runtime tells a signal as 128 and its number, as a shell does.</summary>
    private static string Describe(int exitCode) => string.Create(
        CultureInfo.InvariantCulture, $"ended with exit code {exitCode}{(exitCode > 128 ? $" (signal {exitCode - 128})" : "")}");
}
