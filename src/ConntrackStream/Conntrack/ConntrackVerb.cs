using System.CommandLine;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Conntrack.Syntax;

namespace ConntrackStream.Service.Conntrack;

/// <summary><c>conntrack</c> in the list of verbs; what follows it is read by <see cref="ConntrackCommand"/>.</summary>
internal static class ConntrackVerb
{
    internal static Verb Create()
    {
        Verb verb = new(ConntrackCommand.Name, "Takes conntrack's own command line (also when called by that name)", """
              conntrack-stream conntrack -L -p tcp --dport 443
              conntrack-stream conntrack -h
            """)
        {
            Takes = OptionMeanings.All,
            TreatUnmatchedTokensAsErrors = false,
        };
        verb.Arguments.Add(new Argument<string[]>("TABLE|expect") { Description = "Behind a command: the table that it is for" });
        return verb;
    }
}
