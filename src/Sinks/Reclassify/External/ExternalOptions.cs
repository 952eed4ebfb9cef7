using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>
/// <c>Reclassify:External</c>: a program in any language that is asked which path a flow should take, by lines of JSON (docs/plugins.md).
/// Either <see cref="Command"/> or <see cref="Socket"/>; neither: there is none.
/// </summary>
public sealed class ExternalOptions : IOptionSection, IValidatableObject
{
    /// <summary>
    /// Its absolute path, and its arguments; started without a shell, asked on its standard input. It, its directory and all above must be
    /// root's.
    /// </summary>
    public string[] Command { get; set; } = [];

    /// <summary>
    /// The user it runs as, or, besides root, that may listen on the socket. Another than the service's own needs CAP_SETUID and
    /// CAP_SETGID: <c>packaging/conntrack-stream-classifier.conf</c>.
    /// </summary>
    public string User { get; set; } = "nobody";

    /// <summary>A Unix stream socket that it listens on, to be connected to.</summary>
    public string? Socket { get; set; }

    /// <summary>How long an answer is waited for; after that the flow stays where it is.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Questions that may wait for an answer at a time; flows beyond it stay where they are.</summary>
    public int MaxOutstanding { get; set; } = 1024;

    /// <summary>
    /// How long a path or a keep stands that does not say so itself (<c>ttl_ms</c>); no opinion is asked for again at the flow's next look.
    /// </summary>
    public TimeSpan VerdictTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether there is an external classifier at all.</summary>
    public bool IsConfigured => Command.Length > 0 || !string.IsNullOrEmpty(Socket);

    /// <summary>What is wrong; each result's message completes "key: value …".</summary>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Command.Length > 0 && !string.IsNullOrEmpty(Socket))
        {
            yield return new ValidationResult(
                "cannot be together with Reclassify:External:Command: a program is either started or connected to", [nameof(Socket)]);
        }

        if (Command.Length > 0 && (!Command[0].StartsWith('/') || Command[0].EndsWith('/')))
            yield return new ValidationResult("must begin with the absolute path of a program", [nameof(Command)]);
        if (Command.Any(static part => part.Contains('\0', StringComparison.Ordinal)))
            yield return new ValidationResult("must not contain NUL characters", [nameof(Command)]);
        if (Socket is { Length: > 0 }
            && (!Socket.StartsWith('/') || System.Text.Encoding.UTF8.GetByteCount(Socket) > 107)) // sockaddr_un.sun_path
            yield return new ValidationResult("must be an absolute path of at most 107 bytes", [nameof(Socket)]);
        if (User.Length is 0 or > 64 || User.AsSpan().ContainsAny(":/\0\n "))
            yield return new ValidationResult("must be the name of a user", [nameof(User)]);
        if (Deadline < TimeSpan.FromMilliseconds(1) || Deadline > TimeSpan.FromMinutes(1))
            yield return new ValidationResult("must be from 00:00:00.001 to 00:01:00", [nameof(Deadline)]);
        if (MaxOutstanding is < 1 or > 65536)
            yield return new ValidationResult("must be from 1 to 65536", [nameof(MaxOutstanding)]);
        if (VerdictTime < TimeSpan.FromMilliseconds(100) || VerdictTime > TimeSpan.FromHours(1))
            yield return new ValidationResult("must be from 00:00:00.100 to 01:00:00", [nameof(VerdictTime)]);
    }
}
