using System.Globalization;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Doctor;

/// <summary>Where the service would write.</summary>
internal static class FileChecks
{
    /// <summary>As whom the packaged unit runs. Root, who asks here, is another user than the service then.</summary>
    private const string PackagedUser = "conntrack-stream";

    /// <param name="users">In the form of passwd(5).</param>
    internal static IEnumerable<CheckResult> Run(ServiceOptions options, string users = "/etc/passwd")
    {
        if (FileTrust.OwnUser == 0 && FileStat.TryRead(options.State.Directory, out FileStat state) && state.UserId != 0
            && IsPackagedUser(state.UserId, users))
            yield return CheckResult.Ok("state", $"{options.State.Directory} belongs to {PackagedUser}, as whom the packaged service runs");
        else if (OwnedDirectory.ProblemOfState(options.State.Directory) is { } problem)
            yield return CheckResult.Fail("state", problem, "or set State:Directory");
        else
            yield return DirectoryCheck.Writable("state", options.State.Directory, "make it, or set State:Directory", mayBeMade: true);
        if (options.Api.Enabled)
            yield return DirectoryCheck.Writable(
                "API socket",
                Path.GetDirectoryName(Path.GetFullPath(options.Api.Socket))!,
                "make it, or set Api:Socket or Api:Enabled=false",
                mayBeMade: true);
    }

    private static bool IsPackagedUser(uint id, string users)
    {
        try
        {
            return File.ReadLines(users).Select(static line => line.Split(':')).Any(fields =>
                fields.Length > 2 && fields[0] == PackagedUser && uint.TryParse(fields[2], CultureInfo.InvariantCulture, out uint own)
                && own == id);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
