/**
 * The scripts that `fed completion` prints. Each only carries words to the hidden command `complete` and
 * its answer back, so that a shell never knows less than the fed it completes. An answer is a line per candidate, word
 * and description parted by a tab; the lines `:file` and `:folder` stand for the shell's own completion of paths.
 */

const bash = `# fed completion for bash. Put into ~/.bashrc:  source <(fed completion bash)
_fed() {
  local typed=\${COMP_WORDS[COMP_CWORD]} line path
  [[ $typed == = ]] && typed=
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :file | :folder)
        compopt -o filenames 2>/dev/null
        while IFS= read -r path; do COMPREPLY+=("$path"); done < <(
          if [[ $line == :file ]]; then compgen -f -- "$typed"; else compgen -d -- "$typed"; fi
        )
        ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("\${COMP_WORDS[0]/#\\~/$HOME}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _fed fed
`;

const zsh = `#compdef fed
# fed completion for zsh. Put into ~/.zshrc, after compinit:  source <(fed completion zsh)
_fed() {
  local line
  local -a described
  while IFS= read -r line; do
    case $line in
      :file) _files ;;
      :folder) _files -/ ;;
      *) described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <(\${(Q)words[1]/#\\~/$HOME} complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( $#described )) && _describe fed described
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _fed "$@"; else compdef _fed fed; fi
`;

const fish = `# fed completion for fish. Save it once:  fed completion fish > ~/.config/fish/completions/fed.fish
function __fed_complete
    set -l words (commandline -opc) (commandline -ct | string collect --allow-empty)
    for line in ($words[1] complete -- $words[2..-1] 2>/dev/null)
        switch $line
            case :file
                __fish_complete_path (commandline -ct)
            case :folder
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c fed -f -a '(__fed_complete)'
`;

export const completionScripts = { bash, zsh, fish } as const;
