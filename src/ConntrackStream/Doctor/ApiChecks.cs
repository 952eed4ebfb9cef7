using ConntrackStream.Pipeline.Files;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Api.Access;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Service.Doctor;

/// <summary>Files and groups that the HTTP interface's settings name.</summary>
internal static class ApiChecks
{
    private const UnixFileMode ReadableByOthers = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    internal static IEnumerable<CheckResult> Run(ApiSettings settings)
    {
        foreach (string problem in Problems(settings))
            yield return CheckResult.Fail("api", problem, "the service does not start before this is right");
        foreach (string file in Given(settings.TokenFile, settings.Tls.KeyFile))
        {
            if (FileStat.TryRead(file, out FileStat stat) && ((UnixFileMode)stat.Mode & ReadableByOthers) != UnixFileMode.None)
                yield return CheckResult.Warn("api", $"{file} can be read by other users", $"chmod 600 {file}");
        }

        if (settings.SocketGroup is { } group && !uint.TryParse(group, out _) && FileGroup.Find(group) is null)
            yield return CheckResult.Fail("api", $"there is no group '{group}'", "make it (groupadd), or set Api:SocketGroup");
    }

    /// <summary>Reads the files as the service does at its start.</summary>
    private static IEnumerable<string> Problems(ApiSettings settings)
    {
        if (Given(settings.TokenFile) is [var token] && Problem(() => _ = new ApiToken(token)) is { } ofToken)
            yield return ofToken;
        if (Given(settings.Tls.CertificateFile) is [_] && Problem(() => _ = new ApiCertificate(settings.Tls)) is { } ofCertificate)
            yield return ofCertificate;
    }

    private static string? Problem(Action read)
    {
        try
        {
            read();
            return null;
        }
        catch (UnusableFileException e)
        {
            return e.Message;
        }
    }

    private static string[] Given(params string?[] files) => [.. files.OfType<string>().Where(static file => file.Length > 0)];
}
