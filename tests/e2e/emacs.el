;;; emacs.el --- opens files, and writes what a client made of them as JSON -*- lexical-binding: t -*-
;; OSIRIS_CLIENT: eglot or lsp-mode; OSIRIS_ANSWER: the file for the answer; OSIRIS_FOREIGN: files,
;; one a line. What the command loop does between keystrokes is called by hand: `-batch' has none.
(require 'flymake)
(require 'json)
(require 'yaml-mode)

(defvar osiris-client (intern (getenv "OSIRIS_CLIENT")))
(defconst is-eglot (eq osiris-client 'eglot))
(unless is-eglot (load "lsp-mode-autoloads" nil t))
(require osiris-client)
(setq create-lockfiles nil
      make-backup-files nil
      eglot-sync-connect 30
      eglot-connect-timeout 30
      lsp-auto-guess-root t
      lsp-restart 'ignore
      lsp-warn-no-matched-clients nil
      lsp-enable-snippet nil
      lsp-diagnostics-provider :flymake)
(load (getenv "OSIRIS_EL"))
(defalias 'lsp-deferred #'lsp) ; it waits until Emacs is idle

(defconst top default-directory)

(defun wait (what predicate)
  (let ((end (+ (float-time) 20)) found)
    (while (not (or (setq found (funcall predicate)) (> (float-time) end)))
      (accept-process-output nil 0.05))
    (or found (error "Waited in vain for %s" what))))

(defun visit (path)
  "Open a file as a person would."
  (find-file (expand-file-name path top))
  (run-hooks 'post-command-hook))

(defun settle ()
  "Send what was typed."
  (when is-eglot (eglot--signal-textDocument/didChange)))

(defun is-served ()
  (if is-eglot (eglot-current-server) (and (bound-and-true-p lsp-mode) (lsp-workspaces))))

(defun told ()
  "The diagnostics as the shell counts: lines and columns from 1, in characters."
  (flymake-start nil)
  (mapcar (lambda (item)
            (cons (flymake-diagnostic-text item)
                  (apply #'append
                         (mapcar (lambda (place)
                                   (save-excursion
                                     (goto-char place)
                                     (list (line-number-at-pos)
                                           (1+ (- (point) (line-beginning-position))))))
                                 (list (flymake-diagnostic-beg item) (flymake-diagnostic-end item))))))
          (flymake-diagnostics)))

(defun hover ()
  (if is-eglot
      (eglot--hover-info
       (plist-get (jsonrpc-request (eglot-current-server) :textDocument/hover
                                   (eglot--TextDocumentPositionParams))
                  :contents))
    (lsp--render-on-hover-content
     (gethash "contents" (lsp-request "textDocument/hover" (lsp--text-document-position-params))) t)))

(defun fix (title)
  "Choose a code action at the point."
  (let ((last-nonmenu-event ?.) ; as by a key, not by the mouse
        (completing-read-function
         (lambda (_prompt table &rest _)
           (or (seq-find (lambda (one) (string-prefix-p title one)) (all-completions "" table))
               (error "There is no `%s'" title)))))
    (if is-eglot (eglot-code-actions (point) (point) nil t)
      (call-interactively #'lsp-execute-code-action))))

(let (foreign diagnostics hover before after)
  (dolist (path (split-string (getenv "OSIRIS_FOREIGN") "\n"))
    (visit path)
    (when (is-served) (push path foreign)))
  (visit "pipelines/orders.yaml")
  (wait "the server" #'is-served)
  (setq diagnostics (wait "diagnostics" #'told))
  (goto-char (point-min))
  (search-forward "@mysql.ma")
  (setq hover (hover))
  (search-forward "@mysql.mi")
  (setq before (buffer-string))
  (fix "Change to")
  (wait "the edit" (lambda () (not (equal before (buffer-string)))))
  (setq after (buffer-string))
  (settle)
  (goto-char (point-min))
  (search-forward "extract-orders")
  (backward-char)
  (if is-eglot (eglot-rename "read-orders") (lsp-rename "read-orders"))
  (with-temp-file (getenv "OSIRIS_ANSWER")
    (insert (json-encode `((foreign . ,(vconcat foreign))
                           (diagnostics . ,(vconcat (mapcar #'vconcat diagnostics)))
                           (hover . ,(substring-no-properties hover))
                           (before . ,before)
                           (after . ,after)
                           (renamed . ,(with-current-buffer "orders.yaml" (buffer-string)))))))
  (set-buffer-modified-p nil)
  (if is-eglot (eglot-shutdown (eglot-current-server)) (lsp-workspace-shutdown (car (lsp-workspaces))))
  (kill-emacs 0))
